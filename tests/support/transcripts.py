"""Consoles in pages of the documentation: commands, each with all that it prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from click.testing import CliRunner

from bundler.cli import main

__all__ = ["consoles", "played"]


def consoles(page: str) -> str:
    """The consoles of a page, one after the other."""
    return "".join(re.findall(r"^```console\n(.*?)^```", page, re.DOTALL | re.MULTILINE))


def played(console: str) -> str:
    """The console when its commands run in the current folder. Each must be one of bundler, and succeed."""
    return "".join(f"$ {command}\n{_output(command)}" for command in _commands(console))


def _commands(console: str) -> Iterator[str]:
    return (line.removeprefix("$ ") for line in console.splitlines() if line.startswith("$ "))


def _output(command: str) -> str:
    program, *arguments = shlex.split(command, comments=True)
    assert program == "bundler", command
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout
