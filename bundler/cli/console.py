"""What a command shows: results on standard output; errors, notes and progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import click

from bundler.cli.faults import error_document, error_lines, traceback_lines
from bundler.cli.progress import shown_progress
from bundler.cli.reports import report_lines
from bundler.cli.screen import Line, columns, erase_line, print_error, print_result, standard_output
from bundler.errors import BundlerError

if TYPE_CHECKING:
    from bundler.progress import Progress
    from bundler.report import Report

__all__ = ["Console", "Outcome"]


class Outcome(Protocol):
    """What a verb returns, such as a report."""

    def to_json(self) -> str:
        """One JSON document."""


class _Document(Protocol):
    def to_json(self) -> str: ...


class Console:
    """The terminal of one command.

    `quiet` leaves errors and JSON only. `verbose` adds, at 1, the steps as they begin and the report's details; at 2,
    the traceback of errors that we can explain. With `as_json` standard output gets one document, errors included.
    """

    def __init__(self, quiet: bool = False, verbose: int = 0, as_json: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.as_json = as_json

    def progress(self) -> AbstractContextManager[Progress]:
        """How far a run is, while the block lasts."""
        return shown_progress(self.quiet, steps=self.verbose > 0)

    def show(self, report: Report, ops: bool = False) -> None:
        """A report as text, if text is wanted. `ops` adds how many nodes of each op the graphs have."""
        self.show_lines(report_lines(report, self.verbose > 0, ops))

    def show_lines(self, lines: Iterable[Line]) -> None:
        """The lines of a result, if text is wanted."""
        if not self.quiet and not self.as_json:
            print_result(lines)

    def show_document(self, outcomes: Sequence[Outcome | BundlerError], several: bool = False) -> None:
        """With `as_json`, the JSON of a report or an error; an array if there may be `several`."""
        if self.as_json:
            documents = [_document(outcome) for outcome in outcomes]
            with standard_output():
                click.echo(f"[{', '.join(documents)}]" if several else documents[0])

    def show_result(self, lines: Iterable[Line], document: Callable[[], str]) -> None:
        """A result that is no report: as text, or with `as_json` the JSON that `document` makes."""
        if self.as_json:
            with standard_output():
                click.echo(document())
        elif not self.quiet:
            print_result(lines)

    def show_error(self, error: BundlerError) -> None:
        """An error as text; with `verbose` at 2, after its traceback."""
        if self.verbose > 1:
            print_error(traceback_lines(error))
        print_error(error_lines(error, columns(sys.stderr) if sys.stderr.isatty() else 0))

    def show_interrupt(self, status: int) -> None:
        """The one word of a command that was interrupted; with `as_json`, a document with the exit status too."""
        if self.as_json:
            click.echo(json.dumps({"error": "Interrupted", "exit_status": status, "faults": []}, indent=2))
        erase_line(sys.stderr)
        print_error([[("interrupted", "")]])


def _document(outcome: Outcome | BundlerError) -> str:
    return json.dumps(error_document(outcome), indent=2) if isinstance(outcome, BundlerError) else outcome.to_json()
