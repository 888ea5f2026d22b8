"""Lines on the standard streams: styled on a terminal, plain in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TextIO, TypeAlias

import click

from bundler.errors import BundlerError

__all__ = ["can_show", "columns", "erase_line", "print_error", "print_result", "printable", "standard_output"]

Line: TypeAlias = "Sequence[tuple[str, str]]"
"""Pieces of text, each with its style: `bold` or `dim`, a colour, both, or "" for none."""

_COLUMNS = 80

_PLAINER = str.maketrans({"…": "...", "→": "->"})
"""Characters of ours that a terminal may lack. Other ones are escaped."""


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


def erase_line(stream: TextIO) -> None:
    """Clear the line of a terminal, with what the terminal echoed there: ^C. The cursor goes to its start."""
    # To the end of the screen: a terminal that became narrower has wrapped the line.
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        with suppress(OSError):
            print("\r\x1b[J", end="", file=stream, flush=True)


def columns(stream: TextIO) -> int:
    """The width of a terminal; 80 for any other stream."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or _COLUMNS
    except (OSError, ValueError):
        return _COLUMNS


def can_show(text: str, stream: TextIO) -> bool:
    """Whether a stream has all characters of a text."""
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> str:
    """The text with escapes in place of control characters: names come from untrusted files."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _write(stream: TextIO, lines: Iterable[Line]) -> None:
    styled = _is_styled(stream)
    text = "\n".join("".join(_piece(text, style if styled else "") for text, style in line) for line in lines)
    # `echo` flushes: if the reader has left (`| head`), it raises BrokenPipeError, for which click ends the run without
    # a traceback.
    click.echo(text if can_show(text, stream) else text.translate(_PLAINER), file=stream, color=styled)


def _is_styled(stream: TextIO) -> bool:
    """Whether a stream gets styles: as `--color` says, else as https://no-color.org and https://force-color.org do."""
    context = click.get_current_context(silent=True)
    if context is not None and context.color is not None:
        return context.color
    if os.environ.get("NO_COLOR") or os.environ.get("FORCE_COLOR"):
        return not os.environ.get("NO_COLOR")
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _piece(text: str, style: str) -> str:
    words = set(style.split())
    colour = next(iter(words - {"bold", "dim"}), None)
    shown = printable(text)
    return click.style(shown, colour, bold="bold" in words or None, dim="dim" in words or None) if style else shown
