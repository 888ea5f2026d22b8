"""An error as lines of text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from bundler.cli.screen import Line
from bundler.errors import NOWHERE, BundlerError, Fault, Place

__all__ = ["error_document", "error_lines", "traceback_lines"]

_EXCERPT = 76
"""Characters of a line that are shown."""


def error_lines(error: BundlerError) -> Iterator[Line]:
    """`error: where: what (found, expected)`, then `hint: …`, for each fault."""
    for fault in error.faults:
        first, *more = str(fault).splitlines() or [""]
        yield [("error", "bold red"), (f": {first}", "")]
        yield from ([(f"  {line}", "")] for line in more)
        yield from _excerpt(fault.place)
        if fault.hint:
            yield [("hint", "bold cyan"), (f": {fault.hint}", "")]


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
