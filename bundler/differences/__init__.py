"""What changed between two bundles: signatures as callers see them, models, weights, ops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bundler.differences.nodes import node_changes
from bundler.differences.side import Side
from bundler.differences.signatures import Keyed, signature_changes
from bundler.differences.steps import moved_scopes, step_changes
from bundler.differences.weights import weight_changes
from bundler.report import ModelReport
from bundler.report.difference import Counted, Difference, Kind, ModelChange, Sided

__all__ = ["Side", "difference"]


def difference(before: Side, after: Side) -> Difference:
    """What is different. Weights are read part by part. Raises SourceError if a file cannot be read.

    A step of a composed signature that only has another number is the same.
    """
    before = before.moved(moved_scopes(before.steps, after.steps)) if before.steps else before
    return Difference(
        before=_sided(before),
        after=_sided(after),
        tags=tuple(sorted(tags for tags in before.tags if tags not in after.tags)),
        signatures=tuple(signature_changes(*_signatures(before, after))),
        models=tuple(_model_changes(before, after)),
        weights=tuple(weight_changes(before.weights, after.weights)),
        weights_compared=len(before.weights.keys() & after.weights.keys()),
        ops=tuple(_op_changes(before.ops, after.ops)),
        nodes=tuple(node_changes(before.nodes, after.nodes)),
        steps=tuple(step_changes(before.steps, after.steps)),
    )


def _signatures(before: Side, after: Side) -> tuple[Keyed, Keyed]:
    """The signatures of both. Tags distinguish them only if a bundle has several MetaGraphs."""
    if len(before.tags) > 1 or len(after.tags) > 1:
        return before.signatures, after.signatures
    old, new = ({("", key): each for (_, key), each in side.signatures.items()} for side in (before, after))
    return old, new


def _sided(side: Side) -> Sided:
    models = None if side.models is None else len(side.models)
    return Sided(side.source, len(side.signatures), models, len(side.weights), side.bytes)


def _model_changes(before: Side, after: Side) -> Iterator[ModelChange]:
    """The models of both records; none if a bundle has no record."""
    if before.models is None or after.models is None:
        return
    for name in dict.fromkeys([*before.models, *after.models]):
        old, new = _origin(before.models.get(name)), _origin(after.models.get(name))
        if old != new:
            kind: Kind = "added" if old == _ABSENT else "removed" if new == _ABSENT else "changed"
            yield ModelChange(name, kind, source=(old[0], new[0]), digest=(old[1], new[1]))


_ABSENT = ("", "")


def _origin(model: ModelReport | None) -> tuple[str, str]:
    return _ABSENT if model is None else (model.source, model.digest)


def _op_changes(before: Counter[str], after: Counter[str]) -> Iterator[Counted]:
    for op in sorted(before | after):
        if before[op] != after[op]:
            yield Counted(op, before[op], after[op])
