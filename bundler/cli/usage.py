"""Wrong usage of the command line: click's errors in the form of all other ones, also as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import IO, Any

import click

from bundler.cli.console import Console
from bundler.errors import BundlerError, closest

__all__ = ["UsageError", "explained_usage", "no_such_command"]


class UsageError(BundlerError):
    """The command line is wrong: exit status 2."""

    exit_code = 2


class _Explained(click.ClickException):
    """What click shows before it ends the run: an error of ours."""

    exit_code = UsageError.exit_code

    def __init__(self, error: UsageError, ctx: click.Context | None, as_json: bool) -> None:
        super().__init__(str(error))
        self._error, self._ctx, self._as_json = error, ctx, as_json

    def show(self, file: IO[Any] | None = None) -> None:
        console = Console(as_json=self._as_json)
        with self._ctx.scope(cleanup=False) if self._ctx else nullcontext():  # which knows `--color`
            console.show_document([self._error])
            console.show_error(self._error)


@contextmanager
def explained_usage(as_json: bool, group: click.Context | None = None) -> Iterator[None]:
    """Have click show its UsageErrors, and ours, as errors of ours. The help of a command without arguments stays.

    `group` runs the command in the block: click's parser names no command if an option lacks its value.
    """
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        error.ctx = error.ctx or _called(group)
        raise _Explained(_in_our_words(error), error.ctx, as_json) from error
    except UsageError as error:
        raise _Explained(error, click.get_current_context(silent=True), as_json) from error


def no_such_command(name: str, known: Iterable[str]) -> UsageError:
    """The error for a command that does not exist. A file in its place may be a manifest or a model."""
    word = shlex.quote(name)
    hint = closest(name, known) or "`bundler --help` lists the commands"
    if name.endswith(".toml"):
        hint = f"`bundler build {word}` builds a manifest"
    elif "/" in name or name.endswith(".json"):
        hint = f"`bundler inspect {word}` shows a model, `bundler init {word}` writes a manifest for it"
    return UsageError("there is no such command", found=repr(name), hint=hint)


def _called(group: click.Context | None) -> click.Context | None:
    """The context of the command that a group was called with; the group's own before there is one."""
    name = group.invoked_subcommand if group else None
    if not (group and name and isinstance(group.command, click.Group)):
        return group
    command = group.command.get_command(group, name)
    return click.Context(command, group, name) if command else group


def _in_our_words(error: click.UsageError) -> UsageError:
    path = error.ctx.command_path if error.ctx else ""
    hint = f"`{path} --help` shows what it takes" if path and type(error) is not click.UsageError else ""
    said = error.format_message()
    if isinstance(error, click.NoSuchOption):
        said, hint = error.message, closest(error.option_name, _options(error.ctx)) or hint
    said = said.rstrip(".")
    return UsageError(said[:1].lower() + said[1:], where=path, hint=hint)


def _options(ctx: click.Context | None) -> Iterator[str]:
    """The spellings of all options of a command."""
    return (name for param in (ctx.command.get_params(ctx) if ctx else ()) for name in param.opts)
