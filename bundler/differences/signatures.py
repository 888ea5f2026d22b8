"""What changed for the callers of signatures, and what of that they would notice.

A caller gives inputs by name and takes outputs by name. It notices if a signature or an output is gone, if an input is
gone or new, if a dtype or the method is another, if an input takes fewer shapes, and if an output can have shapes that
it could not have before. It does not notice new signatures and outputs, wider inputs and narrower outputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from bundler.ir.model import Signature, TensorSpec
from bundler.ir.nodes import Shape
from bundler.report import TensorReport
from bundler.report.difference import SignatureChange, TensorChange

__all__ = ["Keyed", "includes", "signature_changes"]

Keyed: TypeAlias = "Mapping[tuple[str, str], Signature]"
"""Signatures by the tags of their MetaGraph and their key."""
_Side: TypeAlias = Literal["input", "output"]


def signature_changes(before: Keyed, after: Keyed) -> Iterator[SignatureChange]:
    """The signatures that differ, in the order of their tags and keys."""
    for tags, key in sorted({*before, *after}):
        old, new = before.get((tags, key)), after.get((tags, key))
        if old is None:
            yield SignatureChange(key, tags, "added")
        elif new is None:
            yield SignatureChange(key, tags, "removed")
        else:
            changes = tuple(_changes(old, new))
            if changes:
                yield SignatureChange(key, tags, "changed", changes)


def _changes(old: Signature, new: Signature) -> Iterator[TensorChange]:
    if old.method_name != new.method_name:
        yield TensorChange("method", "", "changed", "method", old.method_name, new.method_name, breaks=True)
    yield from _of_side("input", old.inputs, new.inputs)
    yield from _of_side("output", old.outputs, new.outputs)


def _of_side(side: _Side, old: Mapping[str, TensorSpec], new: Mapping[str, TensorSpec]) -> Iterator[TensorChange]:
    renamed = dict(_renamed(old, new))
    for name in sorted({*old, *new} - {*renamed.values()}):
        was, now = old.get(name), new.get(name)
        if name in renamed:
            yield _renaming(side, name, old[name], renamed[name])
        elif was is None or now is None:
            yield _coming_or_going(side, name, was, now)
        else:
            yield from _of_tensor(side, name, was, now)


def _renamed(old: Mapping[str, TensorSpec], new: Mapping[str, TensorSpec]) -> Iterator[tuple[str, str]]:
    """Old and new names of tensors: the same of the graph, with the same dtype and shape."""
    coming = sorted(new.keys() - old.keys())
    for name in sorted(old.keys() - new.keys()):
        became = next((other for other in coming if new[other] == old[name]), None)
        if became is not None:
            coming.remove(became)
            yield name, became


def _renaming(side: _Side, name: str, spec: TensorSpec, new_name: str) -> TensorChange:
    kind = TensorReport.of(name, spec).type
    return TensorChange(side, name, "renamed", "name", kind, kind, breaks=True, new_name=new_name)


def _coming_or_going(side: _Side, name: str, was: TensorSpec | None, now: TensorSpec | None) -> TensorChange:
    """An input that comes must be fed, so it breaks callers; an output that comes does not."""
    before, after = ("" if spec is None else TensorReport.of(name, spec).type for spec in (was, now))
    breaks = was is not None or side == "input"
    return TensorChange(side, name, "added" if was is None else "removed", "name", before, after, breaks)


def _of_tensor(side: _Side, name: str, was: TensorSpec, now: TensorSpec) -> Iterator[TensorChange]:
    before, after = (TensorReport.of(name, spec).type for spec in (was, now))
    if was.dtype != now.dtype:
        yield TensorChange(side, name, "changed", "dtype", before, after, breaks=True)
    elif was.shape != now.shape:
        wide, narrow = (now, was) if side == "input" else (was, now)
        breaks = not includes(wide.shape, narrow.shape)
        yield TensorChange(side, name, "changed", "shape", before, after, breaks)


def includes(wide: Shape | None, narrow: Shape | None) -> bool:
    """Whether every tensor of the narrow shape is one of the wide shape. None is a size, or a rank, that is unknown."""
    if wide is None or narrow is None:
        return wide is None
    return len(wide) == len(narrow) and all(size in (None, other) for size, other in zip(wide, narrow))
