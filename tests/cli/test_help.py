"""Help and completion: each example runs, and shells complete."""

from __future__ import annotations

import glob
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

import bundler
from bundler.cli import main
from tests.support.pictures import GREY_RAMP, png
from tests.support.places import MANIFESTS, ROOT

FETCHING = ("npm:", "human", "posenet", "verify manifests")
"""Words of examples that fetch packages."""
SLOW = ("bundler export", "--python")
"""Words of examples that import TensorFlow."""


def command(name: str) -> click.Command:
    found = main.get_command(click.Context(main), name)
    assert found is not None
    return found


def examples(name: str) -> list[str]:
    """The examples in the help of a command."""
    shown = command(name)
    return re.findall(rf"^ +(bundler {name} .*)$", f"{shown.help}\n{shown.epilog}", re.MULTILINE)


COMMANDS = main.list_commands(click.Context(main))


def _case(line: str) -> object:
    fetches, is_slow = (any(word in line for word in words) for words in (FETCHING, SLOW))
    marks = [*([pytest.mark.network] if fetches else []), *([pytest.mark.slow] if is_slow else [])]
    return pytest.param(line, marks=marks)


EXAMPLES = [_case(line) for name in COMMANDS for line in examples(name)]


def test_every_command_has_examples() -> None:
    assert [name for name in COMMANDS if not examples(name)] == []


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the examples name."""
    folder = tmp_path_factory.mktemp("workshop")
    shutil.copytree(MANIFESTS, folder / "manifests")
    shutil.copytree(MANIFESTS / "models", folder / "models")
    tiny = (MANIFESTS / "tiny.toml").read_text()
    checked = folder / "manifests" / "tiny.toml"
    checked.write_text(f'{tiny}\n[[check]]\nsignature = "moments"\nfile = "moments.npz"\n')
    for name in ("tiny", "previous", "human"):
        bundler.build(checked, output=folder / "dist" / name)
    bundler.verify(checked, output=folder / "dist" / "tiny", against="golden", record=True)
    bundler.lock(checked)
    (folder / "human.toml").write_text(tiny.replace('"models/', '"manifests/models/'))
    for name in ("pets", "cars"):
        own = f'name = "{name}"\noutput = "{name}"\nversion = 7'
        (folder / f"{name}.toml").write_text(
            tiny.replace('name = "tiny"', own).replace('"models/', '"manifests/models/')
        )
    (folder / "photo.jpg").write_bytes(png(GREY_RAMP))
    np.save(folder / "digits.npy", np.zeros((2, 64), np.float32))
    return folder


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_runs(line: str, workshop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = shutil.copytree(workshop, tmp_path / "here")
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(here))
    if "cache" in line:
        monkeypatch.setenv("BUNDLER_CACHE", str(here / "cache"))
    name, *arguments = _arguments(line)
    if name == "init":  # it replaces no file
        (here / "human.toml").unlink()
    if "example.org" in line:  # there is no such server
        assert command(name).make_context(name, arguments)
        return
    if "dist/posenet" in arguments:
        bundler.build("manifests/posenet.toml")
    if name == "verify" and "manifests/human.toml" in arguments:
        bundler.build("manifests/human.toml", check=False)
    done = CliRunner().invoke(main, [name, *arguments])
    assert done.exit_code == 0, done.output


def _arguments(line: str) -> list[str]:
    """The words of a command as a shell passes them, without the redirection."""
    words = shlex.split(re.sub(r" (>>?|#) .*", "", line))[1:]
    return [name for word in words for name in (sorted(glob.glob(word)) if "*.toml" in word else [word])]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_a_shell(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert f"_BUNDLER_COMPLETE={shell}_complete" in done.stdout


COMPLETED = [
    ("bundler bu", ["build"]),
    ("bundler cache ", ["clean", "dir", "size"]),
    ("bundler build --no-c", ["--no-check"]),
    ("bundler completion z", ["zsh"]),
    ("bundler run dist/tiny e", ["edge_gradients", "edge_strength"]),
    ("bundler run dist/tiny moments ", ["batch="]),
    ("bundler run dist/tiny p", ["pixels="]),
    ("bundler run nowhere ", []),
]


@pytest.mark.parametrize(("line", "expected"), COMPLETED)
def test_bash_completes(line: str, expected: list[str], workshop: Path) -> None:
    script = workshop / "bundler"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bundler "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    program = (
        'source <(bundler completion bash); line="$1"; COMP_WORDS=($line); [ "${line: -1}" = " " ] && COMP_WORDS+=("");'
        " COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _bundler_completion bundler; [ ${#COMPREPLY[@]} = 0 ] ||"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PATH": f"{workshop}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", program, "bash", line],
        cwd=workshop,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert sorted(done.stdout.split()) == expected, done.stderr
