"""The wheel: what is installed from it works and is typed, without the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import bundler
from tests.support.places import MANIFESTS, ROOT, TESTS

pytest.importorskip("setuptools", reason="builds the wheel")

PROGRAMS = TESTS / "data" / "programs"
SUMMARY = """\
serving_default(pixels: float32[?, 64]) -> probabilities
edge_strength(image: float32[?, ?, ?, 1]) -> strength
edge_gradients(image: float32[?, ?, ?, 1]) -> gradients, signed_gradients
moments(batch: float32[?, 8]) -> is_outlier, mean, normalised, outliers, variance
(None, 64) {'digits': 4840, 'edges': 148, 'moments': 80} True
"""


def run(*command: object, folder: Path, status: int = 0) -> str:
    """The standard output of a command that runs away from the repository."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment in which the wheel is installed; its dependencies are those of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "bundler", source / "bundler", ignore=shutil.ignore_patterns("__pycache__"))
    for folder_of_pages in ("docs", "examples", "manifests"):
        shutil.copytree(ROOT / folder_of_pages, source / folder_of_pages)
    for path in (ROOT / "pyproject.toml", *ROOT.glob("*.md")):
        shutil.copy(path, source)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder, source, folder=folder)
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", folder=folder)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (wheel,) = folder.glob("*.whl")
    run(*pip, "install", "--no-deps", "--no-index", "--target", packages, wheel, folder=folder)
    paths = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    (packages / "dependencies.pth").write_text("".join(f"{path}\n" for path in sorted(paths)))
    return folder / "venv" / "bin" / "python"


def checked(python: Path, program: str, folder: Path, status: int) -> str:
    """What mypy says of a program in the environment."""
    shutil.copy(PROGRAMS / program, folder)
    mypy = (
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--python-executable",
        python,
        "--cache-dir",
        python.with_name("mypy"),
    )
    return run(*mypy, program, folder=folder, status=status)


def test_a_users_program_is_type_checked(python: Path, tmp_path: Path) -> None:
    assert checked(python, "summary.py", tmp_path, 0) == "Success: no issues found in 1 source file\n"


def test_the_types_find_a_users_mistakes(python: Path, tmp_path: Path) -> None:
    found = re.findall(r"^mistakes\.py:(\d+): error: .*\[(.+)\]$", checked(python, "mistakes.py", tmp_path, 1), re.M)
    assert found == [("7", "arg-type"), ("8", "call-arg"), ("9", "attr-defined"), ("10", "assignment")]


def test_a_users_program_runs(python: Path, tmp_path: Path) -> None:
    program = PROGRAMS / "summary.py"
    output = run(python, program, MANIFESTS / "tiny.toml", tmp_path / "tiny", folder=tmp_path)
    assert output == SUMMARY


def test_a_users_program_learns_what_is_wrong(python: Path, tmp_path: Path) -> None:
    (tmp_path / "bundle.toml").write_text('[bundle]\nname = "pets"\n[[model]]\nname = "cat"\nsource = "cat"\n')
    output = run(python, PROGRAMS / "summary.py", "bundle.toml", "out", folder=tmp_path, status=4)
    assert output == "there is no such file or folder\n"


def test_the_templates_of_the_page_are_installed(python: Path, tmp_path: Path) -> None:
    bundler.build(MANIFESTS / "tiny.toml", output=tmp_path / "tiny", check=False)
    shown = run(python, "-m", "bundler", "report", "tiny", "-o", "tiny.html", folder=tmp_path)
    assert shown == "tiny.html: 4 signatures, 3 models\n"


def test_the_pages_that_the_readme_links_to_are_installed(python: Path) -> None:
    (folder,) = python.parents[1].glob("lib/python*/site-packages/share/doc/tfjs-bundler")
    links = re.findall(r"\]\(([^)#\s]+)", (folder / "README.md").read_text())
    assert links
    assert [link for link in links if "://" not in link and not (folder / link).exists()] == []


def test_the_metadata_have_the_version_of_the_package_and_the_readme(python: Path) -> None:
    program = "from importlib.metadata import metadata; print(metadata('tfjs-bundler'))"
    fields, _, text = run(python, "-c", program, folder=python.parent).partition("\n\n")
    assert f"Version: {bundler.__version__}" in fields.splitlines()
    assert text.strip() == (ROOT / "README.md").read_text().strip()


@pytest.mark.slow
@pytest.mark.network
def test_the_first_commands_of_the_readme_print_what_it_shows(python: Path, tmp_path: Path) -> None:
    console = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[0]
    for command, shown in re.findall(r"^\$ bundler (.*)\n((?:(?!\$ ).*\n)*)", console, re.MULTILINE):
        printed = run(python, "-m", "bundler", *command.split(), folder=tmp_path)
        assert re.fullmatch(_pattern(shown), _rounded(printed)), printed


def _rounded(text: str) -> str:
    """Seconds, rounding errors, and with them the output that has the largest, differ from machine to machine."""
    text = re.sub(r"^(ok +\S+ +)(?:[\d.e-]+|equal)  \S+$", r"\1#", text, flags=re.MULTILINE)
    return re.sub(r"[\d.]+e-\d+|\d+\.\d+ s", "#", text)


def _pattern(shown: str) -> str:
    """A pattern for the text: `…` alone on a line stands for any lines."""
    return r"(?:.*\n)*".join(map(re.escape, _rounded(shown).split("…\n")))
