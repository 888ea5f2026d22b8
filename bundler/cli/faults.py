"""An error as lines of text, and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from textwrap import wrap
from typing import Any

from bundler.cli.screen import Line
from bundler.errors import NOWHERE, BundlerError, Fault, Place

__all__ = ["error_document", "error_lines", "traceback_lines"]

_KEPT = "\N{NO-BREAK SPACE}"
_EXCERPT = 76
"""Characters of a line that are shown."""


def error_lines(error: BundlerError, width: int = 0) -> Iterator[Line]:
    """`error: where: what (found, expected)`, then `hint: …`, for each fault; in lines of `width` unless it is 0."""
    for fault in error.faults:
        first, *more = str(fault).splitlines() or [""]
        yield from _wrapped("error", "bold red", first, width)
        yield from ([(f"  {line}", "")] for line in more)
        yield from _excerpt(fault.place)
        if fault.hint:
            yield from _wrapped("hint", "bold cyan", fault.hint, width)


def _wrapped(word: str, style: str, text: str, width: int) -> Iterator[Line]:
    """A word in its style and a text, in lines that break at spaces. Commands in backticks stay whole: to be copied."""
    whole = re.sub("`[^`]*`", lambda command: command[0].replace(" ", _KEPT), text)
    said = f"{word}: {whole}"
    lines = [said]
    if 0 < width < len(said):
        lines = wrap(said, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    first, *more = (line.replace(_KEPT, " ") for line in lines)
    yield [(word, style), (first.removeprefix(word), "")]
    yield from ([(line, "")] for line in more)


def _excerpt(place: Place) -> Iterator[Line]:
    """The line of the file, if the fault is a column in it: one of syntax, which has no other name."""
    if place.column:
        with suppress(OSError), open(place.file, encoding="utf-8-sig", errors="replace") as file:
            text = next(islice(file, place.line - 1, None), "").rstrip().replace("\t", " ")
            start = max(0, place.column - _EXCERPT)
            yield [(f"  {text[start : start + _EXCERPT]}", "")]


def traceback_lines(error: BundlerError) -> Iterator[Line]:
    """The traceback of the exception behind an error, else of the error itself."""
    yield from ([(line, "")] for line in error.trace.splitlines())


def error_document(error: BundlerError) -> dict[str, Any]:
    """The error in the types that JSON knows. The key `error` distinguishes it from a report."""
    return {
        "error": type(error).__name__,
        "exit_status": error.exit_code,
        "faults": [_fault_document(fault) for fault in error.faults],
    }


def _fault_document(fault: Fault) -> dict[str, Any]:
    place = {
        "file": fault.place.file or None,
        "line": fault.place.line or None,
        "column": fault.place.column or None,
        "keys": list(fault.place.keys),
    }
    return {
        "what": fault.what,
        "where": fault.whereabouts,
        "found": fault.found,
        "expected": fault.expected,
        "hint": fault.hint,
        "others": fault.others,
        "place": None if fault.place == NOWHERE else place,
    }
