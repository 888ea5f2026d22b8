"""Lines on the standard streams: styled on a terminal, plain in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO, TypeAlias

import click

from bundler.errors import BundlerError

__all__ = ["print_error", "print_result", "standard_output"]

Line: TypeAlias = "Sequence[tuple[str, str]]"
"""Pieces of text, each with its style in rich's words ("" for none)."""


def print_result(lines: Iterable[Line]) -> None:
    """Write to standard output. Raises BundlerError if that cannot be written."""
    with standard_output():
        _write(sys.stdout, lines)


def print_error(lines: Iterable[Line]) -> None:
    """Write to standard error. A failure is ignored: the exit status reports the error too."""
    try:
        _write(sys.stderr, lines)
    except OSError:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


@contextmanager
def standard_output() -> Iterator[None]:
    """Raise BundlerError if standard output cannot be written, for example because its disk is full."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # At its end Python would try again to write what is left.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        raise BundlerError("standard output cannot be written", found=error.strerror or str(error)) from error


def _write(stream: TextIO, lines: Iterable[Line]) -> None:
    shown = [[(_printable(text), style) for text, style in line] for line in lines]
    (_write_styled if stream.isatty() else _write_plain)(stream, shown)


def _write_plain(stream: TextIO, lines: Iterable[Line]) -> None:
    # `echo` flushes: if the reader has left (`| head`), it raises BrokenPipeError, for which click ends the run without
    # a traceback.
    click.echo("\n".join("".join(text for text, _ in line) for line in lines), file=stream)


def _write_styled(stream: TextIO, lines: Iterable[Line]) -> None:
    from rich.console import Console as Terminal
    from rich.text import Text

    terminal = Terminal(file=stream, highlight=False, soft_wrap=True)
    for line in lines:
        terminal.print(Text.assemble(*line))


def _printable(text: str) -> str:
    """The text with escapes in place of control characters: names come from untrusted files."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
