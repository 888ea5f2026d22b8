"""Weights of two bundles, compared by name, a part of each in memory at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from bundler.disk.shards import keeping_open
from bundler.ir.dtypes import DType
from bundler.ir.weight import Part, Weight
from bundler.report.difference import WeightChange

__all__ = ["weight_changes"]


def weight_changes(before: Mapping[str, Weight], after: Mapping[str, Weight]) -> Iterator[WeightChange]:
    """The weights that differ, by name. Equal values in another place, or as a variable, are no difference."""
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            yield WeightChange(name, "added" if old is None else "removed", _type(old), _type(new))
        elif (old.dtype, old.shape) != (new.dtype, new.shape):
            yield WeightChange(name, "changed", _type(old), _type(new), new.size, new.size)
        elif old.dtype == DType.string:
            yield from _texts(name, old, new)
        elif _is_array(old) and _is_array(new):
            yield from _numbers(name, old, new)
        elif old.fingerprint() != new.fingerprint():
            yield WeightChange(name, "changed", _type(old), _type(new), old.size, old.size)


def _type(weight: Weight | None) -> str:
    return "" if weight is None else f"{weight.dtype}[{', '.join(map(str, weight.shape))}]"


def _is_array(weight: Weight) -> bool:
    """Whether each element lies there in a dtype of NumPy. Otherwise only the bytes can be compared."""
    stored = weight.stored
    return stored.is_number and weight.stored_bytes == weight.size * stored.numpy.itemsize


def _texts(name: str, old: Weight, new: Weight) -> Iterator[WeightChange]:
    differing = sum(one != other for one, other in zip(old.strings(), new.strings()))
    if differing:
        yield WeightChange(name, "changed", _type(old), _type(new), old.size, differing)


class _Moved(NamedTuple):
    """How far the elements of a part moved: how many, the largest distance, the largest value before."""

    elements: int
    distance: float
    largest: float


@keeping_open()
def _numbers(name: str, old: Weight, new: Weight) -> Iterator[WeightChange]:
    if all(one == other for one, other in zip(old.chunks(), new.chunks())):
        return
    moved = [_moved(*parts) for parts in zip(old.parts(), new.parts())]
    elements = sum(each.elements for each in moved)
    if elements:
        distance, largest = max(each.distance for each in moved), max(each.largest for each in moved)
        relative = distance / largest if largest else math.inf
        yield WeightChange(name, "changed", _type(old), _type(new), old.size, elements, distance, relative)


def _moved(one: Part, other: Part) -> _Moved:
    """NaN in one of two elements, or an infinity that is not in both, is an infinite distance."""
    old, new = _elements(one), _elements(other)
    differing = (old != new) & ~((old != old) & (new != new))  # NaN in both is no difference
    old, new = _wide(old), _wide(new)
    finite = old[np.isfinite(old)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    if not differing.any():
        return _Moved(0, 0.0, largest)
    with np.errstate(invalid="ignore", over="ignore"):
        distances = np.abs(new[differing] - old[differing])
    distance = float(np.nan_to_num(distances.max(), nan=math.inf, posinf=math.inf))
    return _Moved(int(differing.sum()), distance, largest)


def _elements(part: Part) -> np.ndarray[Any, Any]:
    content = bytearray(part.nbytes)
    part.fill(memoryview(content))
    return np.frombuffer(content, part.weight.dtype.numpy)


def _wide(elements: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Elements in 64 bits, or 128 of complex numbers."""
    return elements.astype(np.complex128 if elements.dtype.kind == "c" else np.float64)
