"""The Python API: the names of `bundler` itself."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import bundler
from bundler import errors, manifest
from bundler.errors import BundlerError
from bundler.manifest import Manifest
from tests.support.places import MANIFESTS

NAMES = [
    "BundlerError",
    "ConversionError",
    "Fault",
    "LockError",
    "Manifest",
    "ManifestError",
    "Place",
    "Report",
    "SourceError",
    "Verification",
    "VerificationError",
    "__version__",
    "build",
    "check",
    "diff",
    "export",
    "init",
    "inspect",
    "lock",
    "neighbourhood",
    "run",
    "verify",
]
TINY = MANIFESTS / "tiny.toml"


def test_the_public_names_are_these_and_each_is_there() -> None:
    assert bundler.__all__ == NAMES
    assert set(NAMES) <= set(dir(bundler))
    assert [name for name in NAMES if getattr(bundler, name) is None] == []


def test_every_error_that_a_verb_raises_is_public() -> None:
    classes = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, BundlerError)]
    assert {kind.__name__ for kind in classes} == {name for name in NAMES if name.endswith("Error")}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'bundler' has no attribute 'biuld'$"):
        _ = bundler.biuld  # type: ignore[attr-defined]


IR = ["bundler.ir", "bundler.ir.shapes"]


@pytest.mark.parametrize(
    ("program", "loaded"),
    [
        ("import bundler", ["bundler"]),
        ("import bundler; dir(bundler), bundler.__version__", ["bundler"]),
        ("from bundler import BundlerError", ["bundler", "bundler.errors"]),
        ("from bundler import Report", ["bundler", "bundler.errors", *IR, "bundler.report", "bundler.report.entries"]),
    ],
)
def test_a_name_loads_only_the_modules_that_it_needs(program: str, loaded: list[str]) -> None:
    show = "import sys; print(*sorted(name for name in sys.modules if name.startswith('bundler')))"
    done = subprocess.run([sys.executable, "-c", f"{program}; {show}"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == loaded


@pytest.mark.parametrize("name", ["build", "check", "lock"])
def test_a_verb_takes_the_options_of_its_command(name: str) -> None:
    command, verb = import_module(f"bundler.cli.commands.{name}"), getattr(bundler, name)
    options = {parameter.name for parameter in getattr(command, name).params}
    of_terminals = {
        "manifests",
        "as_json",
        "quiet",
        "verbose",
        "color",
        "backend",
        "summary",
        "depfile",
        "provenance",
        "report",
    }
    assert inspect.signature(verb).parameters.keys() - {"manifest", "progress"} == options - of_terminals


@pytest.mark.parametrize("asked", [TINY, str(TINY), manifest.read(TINY)], ids=["a path", "a text", "a manifest"])
def test_a_manifest_is_given_by_its_path_or_as_itself(asked: Path | str | Manifest, tmp_path: Path) -> None:
    report = bundler.build(asked, output=str(tmp_path / "tiny"), check=False)
    assert report.output == tmp_path / "tiny"
    assert report.signatures.names == ("serving_default", "edge_strength", "edge_gradients", "moments")
    assert report.signatures["serving_default"].inputs["pixels"].shape == (None, 64)
    assert bundler.inspect(report.output).signatures["serving_default"].outputs == report.signatures[0].outputs
    assert bundler.build(asked, output=tmp_path / "tiny", check=False).up_to_date


def test_an_error_has_every_fault(tmp_path: Path) -> None:
    (tmp_path / "bundle.toml").write_text('[bundle]\nname = "a/b"\nlayout = "rows"\n')
    with pytest.raises(bundler.ManifestError) as caught:
        bundler.check(tmp_path / "bundle.toml")
    assert [fault.what for fault in caught.value.faults] == [
        "is required",
        "is not a legal value",
        "is not one of the choices",
    ]
