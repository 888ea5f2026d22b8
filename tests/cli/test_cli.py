from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import numpy as np
import pytest
from click.testing import CliRunner

import bundler
from bundler import __version__, manifest
from bundler.cli import main
from bundler.errors import BundlerError, ConversionError, SourceError, VerificationError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from tests.support.models import placeholder, write_model
from tests.support.places import ROOT, TESTS

FAULTY = TESTS / "data" / "manifests"
TINY = '[bundle]\nname = "pets"\n[[model]]\nname = "cat"\nsource = "cat"\n'


def failing_with(error: BaseException, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a build in which `error` comes up."""

    def build(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(bundler, "build", build)
    with TemporaryDirectory() as folder:
        monkeypatch.chdir(folder)
        Path("pets.toml").write_text(TINY)
        done = CliRunner().invoke(main, ["build", "pets.toml", *arguments])
        monkeypatch.undo()
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_version_names_bundler_tensorflow_and_python() -> None:
    done = CliRunner().invoke(main, ["--version"])
    own, python_version = __version__, ".".join(map(str, sys.version_info[:3]))
    assert done.exit_code == 0
    assert done.stdout == f"bundler {own} (TensorFlow {version('tensorflow')}, Python {python_version})\n"


def test_help_names_the_reference_of_the_manifest() -> None:
    shown = " ".join(CliRunner().invoke(main, ["--help"]).stdout.split())
    assert "manifest: docs/MANIFEST.md in the repository, or `bundler schema`." in shown


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_a_flag_that_only_informs_loads_nothing_heavy(flag: str) -> None:
    done = python("-X", "importtime", "-m", "bundler", flag)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert "click" in loaded
    assert not loaded & {"tensorflow", "numpy", "pydantic", "tqdm", "joblib", "google.protobuf"}


@pytest.mark.parametrize("command", ["build", "check", "inspect", "lock", "schema"])
def test_a_command_has_help(command: str) -> None:
    done = CliRunner().invoke(main, [command, "--help"])
    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: main {command} ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["biuld"], "there is no such command (found 'biuld')\nhint: did you mean 'build'?"),
        (["build"], "missing argument 'MANIFEST...'"),
        (["build", "a.toml", "-j", "0"], "0 is not in the range x>=1"),
        (["build", "a.toml", "b.toml", "-o", "out"], "-o names one folder, but there are several manifests"),
        (["build", "a.toml", "--backend", "dask"], "--backend dask and --scheduler ADDRESS go together"),
        (["build", "a.toml", "--scheduler", "tcp://a:1"], "--backend dask and --scheduler ADDRESS go together"),
        (["build", "a.toml", "--release-version", "0"], "0 is not in the range"),
        (
            ["build", "a.toml", "--offline", "--refresh"],
            "--offline fetches nothing, and --refresh asks for every source",
        ),
        (
            ["check", "a.toml", "--offline", "--refresh"],
            "--offline fetches nothing, and --refresh asks for every source",
        ),
        (
            ["lock", "a.toml", "--offline", "--refresh"],
            "--offline fetches nothing, and --refresh asks for every source",
        ),
        (["lock"], "missing argument 'MANIFEST...'"),
        (["inspect"], "missing argument 'PATH'"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [["biuld"], ["build"], ["build", "a.toml", "-j", "0"], ["build", "a", "--forse"]])
def test_wrong_usage_is_one_document_too(arguments: list[str]) -> None:
    done = CliRunner().invoke(main, [*arguments, "--json"])
    document = json.loads(done.stdout)
    assert (done.exit_code, document["error"], document["exit_status"]) == (2, "UsageError", 2)


@pytest.mark.parametrize("command", ["build", "check"])
def test_a_faulty_manifest_exits_with_2_and_says_why_as_text_and_as_json(command: str) -> None:
    path = FAULTY / "unknown-keys.toml"
    done = CliRunner().invoke(main, [command, str(path), "--json"])
    expected = path.with_suffix(".txt").read_text(encoding="utf-8").replace("unknown-keys.toml", str(path))
    assert (done.exit_code, done.stderr) == (2, expected)
    document = json.loads(done.stdout)
    assert (document["error"], document["exit_status"], len(document["faults"])) == ("ManifestError", 2, 4)
    assert document["faults"][0] == {
        "what": "is not a known key",
        "where": f"{path}:3: bundle.outptu",
        "found": "",
        "expected": "",
        "hint": "did you mean 'output'?",
        "others": 0,
        "place": {"file": str(path), "line": 3, "column": None, "keys": ["bundle", "outptu"]},
    }


def test_what_cannot_be_inspected_is_one_document_too(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["inspect", str(tmp_path / "gone"), "--json"])
    document = json.loads(done.stdout)
    assert (done.exit_code, document["error"], document["exit_status"]) == (4, "SourceError", 4)
    assert document["faults"][0]["what"] == "there is no such file or folder"


@pytest.fixture
def three(tmp_path: Path) -> list[str]:
    """Manifests, of which the first has no source, the second none that it could have, and the third is good."""
    weights = {"w": np.zeros((3, 2), np.float32)}
    nodes = [placeholder("x", 1, 3), new_node("MatMul", "y", ["x", "w"], T=DType.float32)]
    write_model(tmp_path / "cat", nodes, weights)
    for name, source in (("a", "gone"), ("b", ""), ("c", "cat")):
        text = f'[bundle]\nname = "{name}"\noutput = "{name}"\n\n[[model]]\nname = "m"\nsource = "{source}"\n'
        (tmp_path / f"{name}.toml").write_text(text)
    return [str(tmp_path / f"{name}.toml") for name in "abc"]


@pytest.mark.parametrize("command", ["build", "check"])
def test_each_of_several_manifests_is_worked_on_and_errors_name_theirs_last(
    command: str, three: list[str], tmp_path: Path
) -> None:
    done = CliRunner().invoke(main, [command, *three])
    assert done.exit_code == 4, "that of the first failure"
    assert done.stderr == (
        f"error: {three[0]}:7: model 'm': {tmp_path}/gone: there is no such file or folder\n"
        f"error: {three[1]}:7: model 'm': source: is empty\n"
    )
    assert ": 1 signature, 1 model" in done.stdout
    assert (tmp_path / "c").exists() == (command == "build")


@pytest.mark.parametrize("command", ["build", "check"])
def test_the_json_of_several_manifests_is_an_array_with_a_report_or_an_error_for_each(
    command: str, three: list[str]
) -> None:
    done = CliRunner().invoke(main, [command, "--json", *three])
    gone, empty, good = json.loads(done.stdout)
    assert [gone["error"], empty["error"], good["name"]] == ["SourceError", "ManifestError", "c"]
    assert [error["faults"][0]["place"]["keys"] for error in (gone, empty)] == [["model", 0, "source"]] * 2


@pytest.mark.parametrize(
    ("error", "status"),
    [(BundlerError, 1), (SourceError, 4), (ConversionError, 5), (VerificationError, 6)],
)
def test_an_error_has_its_exit_status(error: type[BundlerError], status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = failing_with(error("is torn", where="cat", hint="sew it"), monkeypatch)
    assert outcome == (status, "", "error: pets.toml: cat: is torn\nhint: sew it\n")


@pytest.mark.parametrize("command", ["build", "check"])
def test_a_model_that_tensorflow_refuses_exits_with_5_and_is_named(command: str, tmp_path: Path) -> None:
    weights = {"w": np.zeros((3, 2), np.float32)}
    nodes = [placeholder("x", 1, 4), new_node("MatMul", "y", ["x", "w"], T=DType.float32)]
    write_model(tmp_path / "cat", nodes, weights)
    (tmp_path / "pets.toml").write_text(TINY)
    done = CliRunner().invoke(main, [command, str(tmp_path / "pets.toml")])
    assert done.exit_code == 5
    place = f"{tmp_path}/pets.toml:3: model 'cat'"
    assert done.stderr.startswith(f"error: {place}: TensorFlow: Dimensions must be equal, but are 4 and 3 ")


def test_an_explained_error_shows_its_traceback_when_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, shown = failing_with(BundlerError("is torn"), monkeypatch, "-vv")
    assert shown.startswith("Traceback (most recent call last):\n")
    assert shown.endswith("\nerror: pets.toml: is torn\n")


def test_an_error_that_was_not_foreseen_is_a_bug_of_bundler(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = (
        "error: pets.toml: this is a bug of bundler (found ZeroDivisionError: by 0)\n"
        "hint: please report it, with the traceback that -vv shows\n"
    )
    assert failing_with(ZeroDivisionError("by 0"), monkeypatch) == (1, "", expected)
    status, _, said = failing_with(ZeroDivisionError("by 0"), monkeypatch, "-vv")
    assert (status, said.partition("\n")[0]) == (1, "Traceback (most recent call last):")
    assert said.endswith(expected)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "error: pets.toml: there is not enough memory\nhint: with -j 1 a build takes the least\n"),
        (PermissionError(13, "Permission denied", "a/b"), "error: pets.toml: a/b: Permission denied\n"),
        (OSError("odd"), "error: pets.toml: odd\n"),
    ],
    ids=["memory", "a file", "another"],
)
def test_what_the_system_refuses_is_an_error_in_its_words(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failing_with(error, monkeypatch) == (1, "", said)


def test_an_interrupt_exits_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    assert failing_with(KeyboardInterrupt(), monkeypatch) == (130, "", "interrupted\n")


def test_termination_cleans_up_and_exits_with_143(tmp_path: Path) -> None:
    (tmp_path / "pets.toml").write_text(TINY)
    program = """
        import sys, time
        from pathlib import Path
        from bundler import cli
        import bundler

        def build(*_, **__):
            try:
                Path("started").touch()
                time.sleep(60)
            finally:
                Path("cleaned").touch()

        bundler.build = build
        sys.argv = ["bundler", "build", "pets.toml"]
        cli.run()
    """
    code = "\n".join(line[8:] for line in program.splitlines())
    root = ROOT
    environment = {**os.environ, "PYTHONPATH": str(root)}
    child = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    while not (tmp_path / "started").exists() and child.poll() is None:
        time.sleep(0.02)
    child.send_signal(signal.SIGTERM)
    _, shown = child.communicate(timeout=30)
    assert (child.returncode, shown) == (143, b"interrupted\n")
    assert (tmp_path / "cleaned").exists()


def test_a_reader_who_leaves_early_sees_no_traceback() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "bundler", "schema"], stdout=write_end, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, b"")


def test_schema_prints_the_schema() -> None:
    done = CliRunner().invoke(main, ["schema"])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == manifest.schema()
