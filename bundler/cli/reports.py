"""A report as lines of text."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.cli.screen import Line
from bundler.cli.texts.columns import counted, size_text
from bundler.cli.texts.models import model_details

if TYPE_CHECKING:
    from bundler.report import Check, ModelReport, Report, SignatureReport, StepReport, TensorReport
    from bundler.verbs.lock import Locked

__all__ = ["graph_lines", "lock_lines", "report_lines", "short"]

_NAME_WIDTH = 40
"""Characters of the longest name that decides how far the types are indented."""


def report_lines(report: Report, details: bool, ops: bool) -> Iterator[Line]:
    """Signatures, models, a summary. `details` adds tensors, sources, notes and checks, `ops` the count of each op."""
    if report.up_to_date and not details:
        yield _summary(report)
        return
    tensors = [tensor for signature in report.signatures for tensor in _tensors(signature)]
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


def graph_lines(report: Report) -> Iterator[Line]:
    """A frozen graph, which has no signatures: inputs and outputs by the names that a session takes, and a summary."""
    inputs = [("in ", tensor) for signature in report.signatures for tensor in signature.inputs]
    outputs = [("out", tensor) for signature in report.signatures for tensor in signature.outputs]
    width = min(_NAME_WIDTH, max((len(tensor.tensor) for _, tensor in (*inputs, *outputs)), default=0))
    for side, tensor in (*inputs, *outputs):
        yield _tensor_line(side, replace(tensor, name=tensor.tensor), width, details=False)
    yield []
    yield from _model_lines(report.models, details=False, ops=False)
    yield []
    yield _summary(report, "frozen graph")


def _tensors(signature: SignatureReport) -> Iterator[TensorReport]:
    yield from (*signature.inputs, *signature.outputs)
    for step in signature.steps:
        yield from step.gives


def lock_lines(locked: Locked) -> Iterator[Line]:
    """One line: the file, whether it was there already, and what it names."""
    files = [file for of_model in locked.lock.files.values() for file in of_model.values()]
    state = "up to date, " if locked.up_to_date else ""
    models, size = counted(len(locked.lock.files), "model"), size_text(sum(file.size for file in files))
    yield [(short(locked.path), "bold green"), (f": {state}{models}, {counted(len(files), 'file')}, {size}", "")]


def _signature_lines(signature: SignatureReport, width: int, details: bool) -> Iterator[Line]:
    method = signature.method_name.removeprefix("tensorflow/serving/")
    asked = ", ".join((*signature.models, *(() if method == "predict" else (method,))))
    yield [(signature.key, "bold"), (f" ({asked})" if asked else "", "dim")]
    yield from (_tensor_line("in ", tensor, width, details) for tensor in signature.inputs)
    for number, step in enumerate(signature.steps, 1):
        yield from _step_lines(number, step, width)
    yield from (_tensor_line("out", tensor, width, details) for tensor in signature.outputs)


def _step_lines(number: int, step: StepReport, width: int) -> Iterator[Line]:
    """A line for each tensor that a step gives; the first one has the step."""
    for at, tensor in enumerate(step.gives):
        start = f"  {number:>3}  " if at == 0 else "       "
        line: Line = [(start, "dim"), (tensor.name.ljust(width), "")]
        if at:
            yield [*line, (f"  {tensor.type}", "cyan")]
        else:
            yield [*line, (f"  {tensor.type:<24}", "cyan"), (f"  {step.step}", "dim")]


def _tensor_line(side: str, tensor: TensorReport, width: int, details: bool) -> Line:
    line = [(f"  {side}  ", "dim"), (tensor.name.ljust(width), "")]
    if not details:
        return [*line, (f"  {tensor.type}", "cyan")]
    return [*line, (f"  {tensor.type:<24}", "cyan"), (f"  {tensor.tensor}", "dim")]


def _model_lines(models: Sequence[ModelReport], details: bool, ops: bool) -> Iterator[Line]:
    rows = [("model", "weights", "nodes")]
    rows += [(model.name, size_text(model.weight_bytes), str(model.nodes)) for model in models]
    name, weights, nodes = (max(map(len, column)) for column in zip(*rows, strict=True))
    styles = ["dim", *[""] * len(models)]
    inner = [(), *(tuple(model_details(model, details, ops)) for model in models)]
    for row, style, below in zip(rows, styles, inner, strict=True):
        yield [(f"{row[0]:<{name}}  {row[1]:>{weights}}  {row[2]:>{nodes}}", style)]
        yield from ([(f"  {line}", "dim")] for line in below)


def _check_line(check: Check) -> Line:
    detail = f": {check.detail}" if check.detail else ""
    return [("check ", "dim"), ("ok", "green"), (f"  {check.name}{detail}", "")]


def _summary(report: Report, what: str = "") -> Line:
    """The place, what is there (by default the numbers of signatures and models), its size, and the time it took."""
    counts = f"{counted(len(report.signatures), 'signature')}, {counted(len(report.models), 'model')}"
    weights = sum(model.weight_bytes for model in report.models)
    size = size_text(report.bytes) if report.bytes else f"{size_text(weights)} of weights"
    took = f" in {report.seconds:.2f} s" if report.seconds else ""
    place = short(report.output) if report.output else report.name
    state = "up to date, " if report.up_to_date else ""
    return [(place, "bold green"), (f": {state}{what or counts}, {size}{took}", "")]


def short(path: Path) -> str:
    """The path relative to the current folder if it is inside it, else unchanged."""
    inner, here = os.path.realpath(path), os.path.realpath(".")
    return Path(inner).relative_to(here).as_posix() if inner.startswith(here + os.sep) else str(path)
