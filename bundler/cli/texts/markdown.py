"""What is different between two bundles, as Markdown for the page of a release or a review."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from bundler.cli.screen import Line
from bundler.cli.texts.columns import size_text
from bundler.cli.texts.differences import moved, tensor_text, verdict

if TYPE_CHECKING:
    from bundler.report.difference import Difference, SignatureChange, WeightChange

__all__ = ["markdown_lines"]

_MOST = 50
"""Weights, and nodes, that a table lists."""


def markdown_lines(found: Difference) -> Iterator[Line]:
    """A heading, the verdict, and a table for each part that differs."""
    yield from ([(line, "")] for line in _lines(found))


def _lines(found: Difference) -> Iterator[str]:
    yield f"## {_code(found.before.source)} → {_code(found.after.source)}"
    yield ""
    yield f"**{verdict(found)}**"
    yield from _table(["signature", "change", "callers notice"], _signature_rows(found))
    yield from _table(["model", "change", "source before", "source after"], _model_rows(found))
    yield from _table(["weight", "type", "change"], _weight_rows(found.weights))
    yield from _table(["op", "before", "after"], ([_code(op.name), str(op.before), str(op.after)] for op in found.ops))
    yield from _table(["node with other inputs or attributes"], _node_rows(found.nodes))
    if found.before.bytes and found.after.bytes and not found.is_empty:
        yield from _table(["size before", "after"], [[size_text(found.before.bytes), size_text(found.after.bytes)]])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    listed = list(rows)
    if listed:
        yield ""
        yield _row(heads)
        yield _row(["---"] * len(heads))
        yield from map(_row, listed)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """Text of a stranger as code, which has no markup, in a cell."""
    plain = re.sub(r"\s", " ", text.replace("|", "\\|"))
    ticks = "`" * (1 + max(map(len, re.findall("`+", plain)), default=0))
    space = " " if "`" in plain else ""
    return f"{ticks}{space}{plain}{space}{ticks}" if plain else ""


def _signature_rows(found: Difference) -> Iterator[list[str]]:
    yield from ([f"MetaGraph {_code(tags)}", "removed", "**yes**"] for tags in found.tags)
    for signature in found.signatures:
        yield from _rows_of(signature)
    for step in found.steps:
        yield [_code(step.signature), f"step {step.number} {step.kind}: {_code(step.step)}", "no"]


def _rows_of(signature: SignatureChange) -> Iterator[list[str]]:
    name = _code(signature.name)
    if signature.kind != "changed":
        yield [name, signature.kind, _noticed(signature.breaks)]
    for change in signature.changes:
        yield [name, _code(tensor_text(change)), _noticed(change.breaks)]


def _noticed(breaks: bool) -> str:
    return "**yes**" if breaks else "no"


def _model_rows(found: Difference) -> Iterator[list[str]]:
    for model in found.models:
        same = model.kind == "changed" and model.source[0] == model.source[1]
        yield [_code(model.name), "other files" if same else model.kind, *map(_code, model.source)]


def _node_rows(names: Sequence[str]) -> Iterator[list[str]]:
    yield from ([_code(name)] for name in names[:_MOST])
    if len(names) > _MOST:
        yield [f"… and {len(names) - _MOST:,} more"]


def _weight_rows(weights: Sequence[WeightChange]) -> Iterator[list[str]]:
    for weight in weights[:_MOST]:
        kind = weight.before or weight.after
        types = kind if weight.before in ("", weight.after) or not weight.after else f"{kind} → {weight.after}"
        same = weight.kind == "changed" and weight.before == weight.after
        yield [_code(weight.name), _code(types), moved(weight) if same else weight.kind]
    if len(weights) > _MOST:
        yield [f"… and {len(weights) - _MOST:,} more", "", ""]
