"""The order in which composed signatures are made: each after those that it calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from bundler.errors import Fault, ManifestError, Place
from bundler.manifest.steps import CallStep, ComposedSpec

__all__ = ["Circle", "called", "in_order"]


class Circle(ManifestError):
    """Signatures call each other in a circle."""


def called(spec: ComposedSpec) -> Iterator[tuple[int, str]]:
    """The calls of a signature: the number of the step, and the key that it calls."""
    return ((number, step.call) for number, step in enumerate(spec.steps) if isinstance(step, CallStep))


def in_order(composed: Sequence[ComposedSpec]) -> list[int]:
    """The numbers of the signatures, each after those that it calls. Raises Circle."""
    numbers = {spec.key: index for index, spec in enumerate(composed)}
    calls = {index: {numbers[key] for _, key in called(spec) if key in numbers} for index, spec in enumerate(composed)}
    try:
        return list(TopologicalSorter(calls).static_order())
    except CycleError as error:
        way: list[int] = error.args[1][::-1]  # each calls the next
        step = next(number for number, key in called(composed[way[0]]) if numbers.get(key) == way[1])
        found = " → ".join(composed[index].key for index in way)
        place = Place(("signature", way[0], "steps", step))
        raise Circle.of([Fault("signatures call each other in a circle", found=found, place=place)]) from None
