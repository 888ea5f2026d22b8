"""Consoles in pages of the documentation: commands, each with all that it prints."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator

from click.testing import CliRunner

from bundler.cli import main

__all__ = ["consoles", "played", "session"]

_STATUS = ' || echo "exit status $?"'


def consoles(page: str) -> str:
    """The consoles of a page, one after the other."""
    return "".join(re.findall(r"^```console\n(.*?)^```", page, re.DOTALL | re.MULTILINE))


def played(console: str) -> str:
    """The console when its commands run in the current folder. Each must be one of bundler, and succeed.

    A command that ends in `|| echo "exit status $?"` may fail.
    """
    return "".join(f"$ {command}\n{_output(command)}" for command in _commands(console))


def session(console: str) -> str:
    """The console when its commands run one after the other, as a shell runs them: `cd`, `export`, `echo $?`, programs.

    The current folder and the environment of this process change.
    """
    status, shown = 0, ""
    for command in _commands(console):
        if command == "echo $?":
            output, status = f"{status}\n", 0
        else:
            output, status = _run(command)
        shown += f"$ {command}\n{output}"
    return shown


def _run(command: str) -> tuple[str, int]:
    """What a command prints, on both streams, and its exit status."""
    program, *arguments = [os.path.expandvars(word) for word in shlex.split(command)]
    if program == "cd":
        os.chdir(*arguments)
        os.environ["PWD"] = os.getcwd()
        return "", 0
    if program == "export":
        for argument in arguments:
            name, _, value = argument.partition("=")
            os.environ[name] = value
        return "", 0
    if program == "bundler":
        done = CliRunner().invoke(main, arguments)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output, done.exit_code
    shell = ["bash", "-c", f"{command} 2>&1"]
    ended = subprocess.run(shell, stdout=subprocess.PIPE, text=True, check=False)
    return ended.stdout, ended.returncode


def _commands(console: str) -> Iterator[str]:
    return (line.removeprefix("$ ") for line in console.splitlines() if line.startswith("$ "))


def _output(command: str) -> str:
    plain = command.removesuffix(_STATUS)
    program, *arguments = shlex.split(plain, comments=True)
    assert program == "bundler", command
    done = CliRunner().invoke(main, arguments)
    if done.exit_code and plain != command:
        return f"{done.stdout}exit status {done.exit_code}\n"
    assert done.exit_code == 0, done.output
    return done.stdout
