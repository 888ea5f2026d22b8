"""What is different between two bundles, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from bundler.cli.screen import Line
from bundler.cli.texts.columns import counted, listed, size_text

if TYPE_CHECKING:
    from bundler.report.difference import (
        Difference,
        ModelChange,
        SignatureChange,
        StepChange,
        TensorChange,
        WeightChange,
    )

__all__ = ["difference_lines", "moved", "tensor_text", "verdict", "weight_text"]

_Row = TypeVar("_Row")

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_STYLES = {"added": "green", "removed": "red", "changed": "yellow"}
_MOST = 10
"""Weights, and nodes, that are listed without -v."""


def difference_lines(found: Difference, details: bool) -> Iterator[Line]:
    """Signatures, models, weights, ops and sizes that differ, and the verdict. `details` lists all weights."""
    yield [(f"{found.before.source} → {found.after.source}", "bold")]
    yield from ([("  - ", "red"), (f"MetaGraph {tags}", ""), _NOTICED] for tags in found.tags)
    for signature in found.signatures:
        yield from _signature(signature)
    yield from map(_step, found.steps)
    for model in found.models:
        yield from _model(model)
    yield from _weights(found.weights, found.weights_compared, len(found.weights) if details else _MOST)
    if found.ops:
        ops = listed((f"{op.name} {op.before} → {op.after}" for op in found.ops), 2, "ops: ")
        yield from ([(f"  {line}", "")] for line in ops)
    if found.nodes:
        yield [("  ~ ", "yellow"), (f"{counted(len(found.nodes), 'node')} with other inputs or attributes", "")]
        yield from ([(f"      {name}", "")] for name in found.nodes[: len(found.nodes) if details else _MOST])
        yield from _more(found.nodes, len(found.nodes) if details else _MOST)
    if found.before.bytes and found.after.bytes and not found.is_empty:
        yield [(f"  size: {size_text(found.before.bytes)} → {size_text(found.after.bytes)}", "")]
    yield [(verdict(found), "bold red" if found.breaks else "bold green")]


_NOTICED = ("  callers notice", "bold red")


def verdict(found: Difference) -> str:
    """The last line: what the exit status says."""
    if found.is_empty:
        return "no differences"
    breaking = sum(signature.breaks for signature in found.signatures) + len(found.tags)
    if breaking:
        return f"callers notice {counted(breaking, 'change')} of signatures or tags"
    return "callers notice no change of signatures"


def _head(kind: str, noun: str, name: str, breaks: bool = False) -> Line:
    line = [(f"  {_SIGNS[kind]} ", _STYLES[kind]), (f"{noun} {name}", "")]
    return [*line, _NOTICED] if breaks else line


def _signature(signature: SignatureChange) -> Iterator[Line]:
    yield _head(signature.kind, "signature", signature.name, signature.kind == "removed")
    for change in signature.changes:
        line = [(f"      {tensor_text(change)}", "")]
        yield [*line, _NOTICED] if change.breaks else line


def _step(change: StepChange) -> Line:
    return _head(change.kind, f"signature {change.signature}, step", f"{change.number}: {change.step}")


def tensor_text(change: TensorChange) -> str:
    """`output boxes removed: float32[1, 4]`, `output a renamed to b: int32[]`, `input x: int32[?] → int32[1]`."""
    place = f"{change.side} {change.name}".strip()
    if change.kind == "changed":
        return f"{place}: {change.before} → {change.after}"
    if change.kind == "renamed":
        return f"{place} renamed to {change.new_name}: {change.after}"
    return f"{place} {change.kind}: {change.before or change.after}"


def _model(model: ModelChange) -> Iterator[Line]:
    yield _head(model.kind, "model", model.name)
    if model.kind != "changed":
        yield [(f"      {''.join(model.source)}", "dim")]
    elif model.source[0] != model.source[1]:
        same = ", the same files" if model.digest[0] and model.digest[0] == model.digest[1] else ""
        yield [(f"      {model.source[0]} → {model.source[1]}{same}", "dim")]
    else:
        yield [(f"      other files: {model.source[0]}", "dim")]


def _weights(weights: Sequence[WeightChange], compared: int, most: int) -> Iterator[Line]:
    changed = sorted((each for each in weights if each.kind == "changed"), key=_by_change)
    others = [each for each in weights if each.kind != "changed"]
    if changed:
        yield [("  ~ ", "yellow"), (f"{len(changed):,} of {counted(compared, 'weight')} changed", "")]
        yield from ([(f"      {weight_text(each)}", "")] for each in changed[:most])
        yield from _more(changed, most)
    for kind in ("added", "removed"):
        of_kind = [each for each in others if each.kind == kind]
        if of_kind:
            yield [(f"  {_SIGNS[kind]} ", _STYLES[kind]), (f"{counted(len(of_kind), 'weight')} {kind}", "")]
            yield from ([(f"      {each.name}  {each.before or each.after}", "")] for each in of_kind[:most])
            yield from _more(of_kind, most)


def _more(rows: Sequence[_Row], most: int) -> Iterator[Line]:
    if len(rows) > most:
        yield [(f"      … and {len(rows) - most:,} more", "dim")]


def _by_change(weight: WeightChange) -> tuple[float, str]:
    return -(float("inf") if weight.relative is None else weight.relative), weight.name


def weight_text(weight: WeightChange) -> str:
    """`iris/w  float32[3, 3]  9 of 9 elements, by up to 0.12 (2.3 % of the largest)`."""
    if weight.before != weight.after:
        return f"{weight.name}  {weight.before} → {weight.after}"
    return f"{weight.name}  {weight.before}  {moved(weight)}"


def moved(weight: WeightChange) -> str:
    """How many elements changed, and how far."""
    elements = f"{weight.elements:,} of {counted(weight.size, 'element')}"
    if weight.absolute is None or weight.relative is None:
        return elements
    if weight.absolute == float("inf"):
        return f"{elements}, infinities or NaN among them"
    share = "" if weight.relative == float("inf") else f" ({weight.relative:.2g} of the largest value)"
    return f"{elements}, by up to {weight.absolute:.3g}{share}"
