"""A map: its ops in a loop over the first dimension."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from bundler.drafting import tensors
from bundler.drafting.library import Library
from bundler.drafting.loops import loop
from bundler.drafting.value import Value
from bundler.errors import ManifestError
from bundler.steps import Scope
from bundler.steps.checks import type_of

__all__ = ["mapped"]

Body: TypeAlias = "Callable[[Scope, tuple[Value, ...]], tuple[Value, ...]]"
"""What one turn gives for its batches of one."""


def mapped(scope: Scope, values: Sequence[Value], body: Body) -> tuple[Value, ...]:
    """The results of `body` for one entry of the values after the other, joined along the first dimension.

    Raises ManifestError if a value has no first dimension, or a turn gives something else than batches of one.
    """
    for value in values:
        if not value.rank:
            raise ManifestError("a map takes tensors with a first dimension", found=type_of(value))
    made = _types(scope, values, body)
    count = tensors.size(scope, values[0], 0)
    known = count if isinstance(count, Value) else scope.constant(count, "count")
    lists = [_reserved(scope, each, known) for each in made]
    start = scope.constant(0, "start")

    def goes_on(inner: Scope, given: tuple[Value, ...]) -> tuple[Value, ...]:
        return (inner.op("Less", given[0], known),)

    def turn(inner: Scope, given: tuple[Value, ...]) -> tuple[Value, ...]:
        number, *grown = given
        at = tensors.expand(inner, number, 0)
        entries = tuple(_entry(inner, value, at) for value in values)
        items = [tensors.squeeze(inner, result, 0) for result in body(inner, entries)]
        longer = [inner.op("TensorListSetItem", each, number, item, shape=()) for each, item in zip(grown, items)]
        return (inner.op("AddV2", number, 1), *longer)

    _, *filled = loop(scope, [start, *lists], goes_on, turn)
    return tuple(_stacked(scope, items, each, values[0].shape[0]) for items, each in zip(filled, made))


def _types(scope: Scope, values: Sequence[Value], body: Body) -> tuple[Value, ...]:
    """What a turn gives, found out in a graph that is thrown away."""
    library = Library()
    entries = tuple(value._replace(shape=(1, *value.shape[1:]), home=library.main) for value in values)
    made = body(replace(scope, library=library, sketch=library.main), entries)
    for each in made:
        if each.shape[:1] != (1,):
            raise ManifestError("each turn of a map gives a batch of one", found=type_of(each), expected="[1, …]")
    return made


def _entry(scope: Scope, value: Value, at: Value) -> Value:
    """One entry, as a batch of one."""
    return scope.op("GatherV2", value, at, scope.constant(0, "axis"), shape=(1, *value.shape[1:]))


def _reserved(scope: Scope, each: Value, count: Value) -> Value:
    shape = _element(scope, each)
    return scope.op("TensorListReserve", shape, count, shape=(), element_dtype=each.dtype)


def _stacked(scope: Scope, items: Value, each: Value, count: int | None) -> Value:
    shape = (count, *each.shape[1:])
    return scope.op("TensorListStack", items, _element(scope, each), shape=shape, element_dtype=each.dtype)


def _element(scope: Scope, each: Value) -> Value:
    """The shape of an entry of a list; -1 for a size that is known when it runs."""
    return scope.constant([-1 if size is None else size for size in each.shape[1:]], "element")
