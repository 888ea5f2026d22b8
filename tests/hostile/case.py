"""A hostile case: a folder named by its fault, with the input and what `bundler` must say to it.

<fault>/model.json, …     the input, copied to the folder `model` of an empty project
<fault>/make.py           `make(project)` writes what a repository cannot hold: FIFOs, large or binary files
<fault>/manifest.toml     the manifest, if the input is not one model in the folder `model`
<fault>/case.toml         `error`, the class of the error ("" for none); `command`, if it is not a build
<fault>/expected.txt      the whole of standard error; `{project}` stands for the project's path

python -m tests.hostile.case FAULT…    runs cases, and prints what came of each
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

from bundler import errors

FOLDER = Path(__file__).parent
MANIFEST = '[bundle]\nname = "b"\n\n[[model]]\nname = "m"\nsource = "model"\n'
COMMAND = ["build", "manifest.toml", "--no-check"]
_OF_THE_CASE = ("case.toml", "expected.txt", "make.py", "manifest.toml", "__pycache__")


@dataclass(frozen=True)
class Case:
    """A case by its folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.relative_to(FOLDER).as_posix()

    @property
    def settings(self) -> dict[str, Any]:
        return tomli.loads((self.folder / "case.toml").read_text())

    @property
    def status(self) -> int:
        """The exit status that its error has."""
        error = self.settings["error"]
        return getattr(errors, error).exit_code if error else 0

    @property
    def expected(self) -> str:
        """The whole of standard error."""
        return (self.folder / "expected.txt").read_text()

    def set_up(self, project: Path) -> None:
        """Put the case's files where the command will find them."""
        given = self.folder / "manifest.toml"
        (project / "manifest.toml").write_text(given.read_text() if given.exists() else MANIFEST)
        shutil.copytree(self.folder, project / "model", ignore=shutil.ignore_patterns(*_OF_THE_CASE))
        if (self.folder / "make.py").exists():
            runpy.run_path(str(self.folder / "make.py"))["make"](project)


@dataclass(frozen=True)
class Outcome:
    """What came of a run: exit status, output, seconds of the processor, and bytes of memory of its largest process."""

    status: int
    stdout: str
    stderr: str
    seconds: float
    memory: int


class Worker:
    """The process that runs `bundler`; see `worker`."""

    def __init__(self, cache: Path) -> None:
        root = FOLDER.parents[1]
        self._environment = {"BUNDLER_CACHE": str(cache), "PYTHONPATH": str(root)}
        self._process = subprocess.Popen(
            [sys.executable, FOLDER / "worker.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env={**os.environ, **self._environment},
        )

    def run(self, command: list[str], project: Path, outputs: Path) -> Outcome:
        """Run a command in a project; its outputs go to files elsewhere."""
        files = {name: outputs / name for name in ("stdout", "stderr")}
        asked = {"command": command, "cwd": str(project), "env": self._environment}
        assert self._process.stdin and self._process.stdout
        print(json.dumps({**asked, **{name: str(path) for name, path in files.items()}}), file=self._process.stdin)
        self._process.stdin.flush()
        measured = json.loads(self._process.stdout.readline())
        written = {name: path.read_text(errors="replace") for name, path in files.items()}
        written["stderr"] = written["stderr"].replace(str(project.resolve()), "{project}")
        return Outcome(**written, **measured)

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def cases() -> Iterator[Case]:
    """Every case, by its name."""
    return (Case(path.parent) for path in sorted(FOLDER.rglob("case.toml")))


def tree(folder: Path) -> list[str]:
    """Every entry below a folder, with the kind and, for files, the size."""
    entries = sorted((entry for entry in _walk(folder)), key=lambda entry: entry.path)
    return [f"{os.path.relpath(entry.path, folder)} {_kind(entry)}" for entry in entries]


def _walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    yield from _walk(Path(entry.path))
    except PermissionError:
        return


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return f"→ {os.readlink(entry.path)}"
    return str(entry.stat().st_size) if entry.is_file() else "folder" if entry.is_dir() else "special"


def main(names: list[str]) -> None:
    """Run cases by name, and print what came of each: what to put into `expected.txt`, once it is right."""
    with tempfile.TemporaryDirectory() as scratch:
        worker = Worker(Path(scratch, "cache"))
        for number, name in enumerate(names):
            project, outputs = Path(scratch, f"p{number}"), Path(scratch, f"o{number}")
            project.mkdir()
            outputs.mkdir()
            case = Case(FOLDER / name)
            case.set_up(project)
            done = worker.run(case.settings.get("command", COMMAND), project, outputs)
            sys.stdout.write(f"{name}: {done.status}, {done.seconds:.2f} s, {done.memory / 1e6:.0f} MB\n{done.stderr}")
        worker.close()


if __name__ == "__main__":
    main(sys.argv[1:])
