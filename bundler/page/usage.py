"""The ops of a bundle over all of its models, and what became of those of their sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from bundler.report import ModelReport

__all__ = ["OpRow", "RewrittenRow", "op_rows", "rewritten_rows"]


class OpRow(NamedTuple):
    """How many nodes of an op there are, as a number and in percent of the most frequent op, in how many models."""

    op: str
    nodes: int
    share: float
    models: int


class RewrittenRow(NamedTuple):
    """How many nodes of an op became the ops in `into`, in how many models."""

    op: str
    into: tuple[str, ...]
    nodes: int
    models: int


def op_rows(models: Iterable[ModelReport]) -> list[OpRow]:
    """A row for each op, the most frequent first."""
    nodes, owners = Counter[str](), Counter[str]()
    for model in models:
        nodes.update(model.ops)
        owners.update(model.ops.keys())
    most = max(nodes.values(), default=1)
    rows = (OpRow(op, number, 100 * number / most, owners[op]) for op, number in nodes.items())
    return sorted(rows, key=lambda row: (-row.nodes, row.op))


def rewritten_rows(models: Iterable[ModelReport]) -> list[RewrittenRow]:
    """A row for each op and what it became, by name."""
    nodes, owners = Counter[tuple[str, tuple[str, ...]]](), Counter[tuple[str, tuple[str, ...]]]()
    for model in models:
        for each in model.rewritten:
            nodes[each.op, each.into] += each.count
            owners[each.op, each.into] += 1
    return [RewrittenRow(op, into, number, owners[op, into]) for (op, into), number in sorted(nodes.items())]
