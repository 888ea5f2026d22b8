"""Pages of mistakes: what a person did, and all that bundler says to it.

## A key is misspelled              the title of a mistake

```toml pets.toml                   files, by name
```

```console
$ mkdir out                         commands, each with all that it prints
$ PATH=/nowhere bundler build pets.toml
error: …
[exit status 2]
```
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from bundler.cli import main

FOLDER = Path(__file__).parent / "mistakes"

_BLOCK = re.compile(r"^```(\w+) ?(.*)\n((?:.*\n)*?)```\n", re.MULTILINE)


@dataclass(frozen=True)
class Mistake:
    """A section of a page: `files` by name, and the `console` with commands and what they print."""

    page: Path
    title: str
    files: Mapping[str, str]
    console: str

    def play(self, folder: Path, registry: str, environment: Mapping[str, str]) -> str:
        """The console when the commands run in a folder, which must be the current one.

        `registry` is the address of the server that is called http://registry in files.
        """
        for name, content in self.files.items():
            (folder / name).write_text(content.replace("http://registry", registry))
        return "".join(f"$ {command}\n{_run(command, environment)}" for command in self.commands())

    def commands(self) -> Iterator[str]:
        """The commands in their order."""
        return (line.removeprefix("$ ") for line in self.console.splitlines() if line.startswith("$ "))

    def write(self, console: str) -> None:
        """Replace the console in the page."""
        text = self.page.read_text()
        start = text.index(f"## {self.title}\n")
        self.page.write_text(
            text[:start] + text[start:].replace(f"```console\n{self.console}", f"```console\n{console}", 1)
        )


def mistakes() -> list[Mistake]:
    """The mistakes of all pages."""
    return [mistake for page in sorted(FOLDER.glob("*.md")) for mistake in _mistakes(page)]


def _mistakes(page: Path) -> Iterator[Mistake]:
    for section in page.read_text().split("\n## ")[1:]:
        blocks = _BLOCK.findall(section)
        files = {name: content for kind, name, content in blocks if kind != "console"}
        (console,) = (content for kind, _, content in blocks if kind == "console")
        yield Mistake(page, section.partition("\n")[0], files, console)


def _run(command: str, environment: Mapping[str, str]) -> str:
    """What a command prints on both streams, and its exit status if that is not 0."""
    variables, words = dict(environment), shlex.split(command)
    while re.match(r"\w+=", words[0]):
        name, _, variables[name] = words.pop(0).partition("=")
    if words[0] != "bundler":
        subprocess.run(words, check=True)
        return ""
    done = CliRunner().invoke(main, words[1:], prog_name="bundler", env=variables)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output + (f"[exit status {done.exit_code}]\n" if done.exit_code else "")
