"""What a terminal shows: reports and errors as text, and how far a run is.

The only module that knows of rich and tqdm, and it imports them only where a person is watching: in
a pipe the same lines come without colour.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap
from threading import Lock
from typing import TYPE_CHECKING, TextIO

import click

from bundler.errors import BundlerError
from bundler.progress import SILENT, Progress

if TYPE_CHECKING:
    from tqdm import tqdm

    from bundler.report import Check, ModelReport, Report, SignatureReport, TensorReport

__all__ = ["Console"]

_Line = Sequence[tuple[str, str]]
"""Pieces of text, each with its style in rich's words ("" for none)."""

_NAME_WIDTH = 40
"""Longer names are shown whole, but do not push the types of all others to the right."""


class Console:
    """Results go to standard output, errors and progress to standard error.

    `quiet` leaves errors and JSON only. `verbose` adds, at 1, the steps as they begin and the
    report's details; at 2, the traceback of errors that we can explain.
    """

    def __init__(self, quiet: bool = False, verbose: int = 0) -> None:
        self.quiet = quiet
        self.verbose = verbose

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """One bar for the whole run, gone at its end; lines with `verbose`; else notes alone."""
        if self.quiet:
            yield SILENT
        elif self.verbose:
            yield _Steps()
        elif not sys.stderr.isatty():
            yield _Notes()
        else:
            from tqdm import tqdm

            with tqdm(unit="B", unit_scale=True, leave=False, dynamic_ncols=True) as bar:
                yield _Bar(bar)

    def show(self, reports: Iterable[Report], as_json: bool = False, ops: bool = False) -> None:
        """Each report as text when it comes, or one JSON document: the report, or an array of several.

        `ops` adds to the text what the graphs are made of.
        """
        if as_json:
            documents = [report.to_json() for report in reports]
            with _standard_output():
                click.echo(documents[0] if len(documents) == 1 else f"[{', '.join(documents)}]")
            return
        for report in reports:
            if not self.quiet:
                with _standard_output():
                    _write(sys.stdout, _report_lines(report, self.verbose > 0, ops))

    def show_error(self, error: BundlerError) -> None:
        """`error: where: what (found, expected)`, then `hint: …`, for each fault."""
        if self.verbose > 1:
            _write_error([[(line, "")] for line in (error.origin or _traceback(error)).splitlines()])
        _write_error(_error_lines(error))

    def show_interrupt(self) -> None:
        """The one word of a command that was interrupted."""
        _write_error([[("interrupted", "")]])


class _Notes:
    """Progress of which only the notes are shown."""

    def start(self, what: str, total: int | None = None) -> None:
        pass

    def advance(self, amount: int = 1) -> None:
        pass

    def finish(self) -> None:
        pass

    def note(self, text: str) -> None:
        _write_error([[("note", "bold cyan"), (f": {text}", "")]])


class _Steps(_Notes):
    """Progress as lines: each step when it begins."""

    def start(self, what: str, total: int | None = None) -> None:
        _write_error([[(what, "dim")]])


class _Bar(_Notes):
    """Progress as one bar: the sizes of steps add up as they begin, in whichever thread."""

    def __init__(self, bar: tqdm) -> None:
        self._bar = bar
        self._lock = Lock()

    def start(self, what: str, total: int | None = None) -> None:
        with self._lock:
            self._bar.total = (self._bar.total or 0) + (total or 0)
            self._bar.set_description(what if len(what) <= _NAME_WIDTH else f"{what[: _NAME_WIDTH - 1]}…")

    def advance(self, amount: int = 1) -> None:
        with self._lock:
            self._bar.update(amount)

    def finish(self) -> None:
        with self._lock:
            self._bar.refresh()

    def note(self, text: str) -> None:
        with self._lock:
            self._bar.clear()
            super().note(text)
            self._bar.refresh()


def _size(size: int) -> str:
    """A number of bytes in decimal units: `5.0 MB`."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} B"


def _report_lines(report: Report, details: bool, ops: bool) -> Iterator[_Line]:
    if report.up_to_date and not details:
        yield _summary(report)
        return
    tensors = [tensor for signature in report.signatures for tensor in (*signature.inputs, *signature.outputs)]
    width = min(_NAME_WIDTH, max((len(tensor.name) for tensor in tensors), default=0))
    for signature in report.signatures:
        yield from _signature_lines(signature, width, details)
        yield []
    yield from _model_lines(report.models, details, ops)
    yield []
    if details and report.checks:
        yield from map(_check_line, report.checks)
        yield []
    yield _summary(report)


def _signature_lines(signature: SignatureReport, width: int, details: bool) -> Iterator[_Line]:
    method = signature.method_name.removeprefix("tensorflow/serving/")
    asked = signature.model if method == "predict" else f"{signature.model}, {method}"
    yield [(signature.key, "bold"), (f" ({asked})", "dim")]
    for side, tensors in (("in ", signature.inputs), ("out", signature.outputs)):
        yield from (_tensor_line(side, tensor, width, details) for tensor in tensors)


def _tensor_line(side: str, tensor: TensorReport, width: int, details: bool) -> _Line:
    line = [(f"  {side}  ", "dim"), (tensor.name.ljust(width), "")]
    if not details:
        return [*line, (f"  {tensor.type}", "cyan")]
    return [*line, (f"  {tensor.type:<24}", "cyan"), (f"  {tensor.tensor}", "dim")]


def _model_lines(models: Sequence[ModelReport], details: bool, ops: bool) -> Iterator[_Line]:
    rows = [("model", "weights", "nodes")]
    rows += [(model.name, _size(model.weight_bytes), str(model.nodes)) for model in models]
    name, weights, nodes = (max(map(len, column)) for column in zip(*rows, strict=True))
    styles = ["dim", *[""] * len(models)]
    inner = [(), *(tuple(_model_details(model, details, ops)) for model in models)]
    for row, style, below in zip(rows, styles, inner, strict=True):
        yield [(f"{row[0]:<{name}}  {row[1]:>{weights}}  {row[2]:>{nodes}}", style)]
        yield from ([(f"  {line}", "dim")] for line in below)


def _model_details(model: ModelReport, details: bool, ops: bool) -> Iterator[str]:
    if details or ops:
        yield from (text for text in (model.source, model.digest) if text)
    if details:
        yield from (f"note: {note}" for note in model.notes)
    if ops:
        # An op and its count stay on one line: wrap takes no-break spaces for letters.
        by_count = sorted(model.ops.items(), key=lambda item: (-item[1], item[0]))
        counted = ", ".join(f"{count}\N{NO-BREAK SPACE}{op}" for op, count in by_count)
        yield from (line.replace("\N{NO-BREAK SPACE}", " ") for line in wrap(counted, 76))


def _check_line(check: Check) -> _Line:
    detail = f": {check.detail}" if check.detail else ""
    return [("check ", "dim"), ("ok", "green"), (f"  {check.name}{detail}", "")]


def _summary(report: Report) -> _Line:
    signatures, models = _count(len(report.signatures), "signature"), _count(len(report.models), "model")
    weights = sum(model.weight_bytes for model in report.models)
    size = _size(report.bytes) if report.bytes else f"{_size(weights)} of weights"
    took = f" in {report.seconds:.2f} s" if report.seconds else ""
    where = _short(report.output) if report.output else report.name
    state = "up to date, " if report.up_to_date else ""
    return [(where, "bold green"), (f": {state}{signatures}, {models}, {size}{took}", "")]


def _error_lines(error: BundlerError) -> Iterator[_Line]:
    for fault in error.faults:
        first, *more = str(fault).splitlines() or [""]
        yield [("error", "bold red"), (f": {first}", "")]
        yield from ([(f"  {line}", "")] for line in more)
        if fault.hint:
            yield [("hint", "bold cyan"), (f": {fault.hint}", "")]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _short(path: Path) -> str:
    """The path from here where that is shorter to read, else as it is."""
    inner, here = os.path.realpath(path), os.path.realpath(".")
    return Path(inner).relative_to(here).as_posix() if inner.startswith(here + os.sep) else str(path)


def _traceback(error: BundlerError) -> str:
    return "".join(traceback.format_exception(error))


@contextmanager
def _standard_output() -> Iterator[None]:
    """BundlerError if standard output cannot be written: the disk behind it is full."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # At its end Python would try again to write what is left.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        raise BundlerError("standard output cannot be written", found=error.strerror or str(error)) from error


def _write_error(lines: Iterable[_Line]) -> None:
    """Write to standard error, if that can be: the exit status says the same."""
    try:
        _write(sys.stderr, lines)
    except OSError:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _write(stream: TextIO, lines: Iterable[_Line]) -> None:
    shown = [[(_printable(text), style) for text, style in line] for line in lines]
    (_write_styled if stream.isatty() else _write_plain)(stream, shown)


def _write_plain(stream: TextIO, lines: Iterable[_Line]) -> None:
    # `echo` flushes: a reader who left (`| head`) is noticed here, where click ends the run without a traceback.
    click.echo("\n".join("".join(text for text, _ in line) for line in lines), file=stream)


def _write_styled(stream: TextIO, lines: Iterable[_Line]) -> None:
    from rich.console import Console as Terminal
    from rich.text import Text

    terminal = Terminal(file=stream, highlight=False, soft_wrap=True)
    for line in lines:
        terminal.print(Text.assemble(*line))


def _printable(text: str) -> str:
    """The text with its control characters spelled out: names come from files that nobody vetted."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
