"""Weights by model and layer, as their names have them: `posenet/MobilenetV1/heatmap_2/biases`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

__all__ = ["Layer", "Part", "parts"]

_READING = "/ReadVariableOp"
"""The end of a constant's name that was a variable: the name before it is the weight's."""
_MOST = 16
"""The most weights of a layer: a recurrent one in both directions has ten, with a normalization fourteen."""


class Layer(NamedTuple):
    """Weights with one scope, and their bytes."""

    name: str
    size: int

    @property
    def short(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2] or self.name


class Part(NamedTuple):
    """A model, or another outermost scope, with its layers. The largest layer is the first."""

    name: str
    layers: tuple[Layer, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(layer.size for layer in self.layers)


def parts(weights: Mapping[str, int]) -> list[Part]:
    """The parts of a bundle, the largest first, with the weights that have bytes."""
    found: dict[str, dict[str, Counter[str]]] = {}
    for name, size in weights.items():
        if size:
            part, layer, own = _place(name)
            found.setdefault(part, {}).setdefault(layer, Counter())[own] += size
    made = (Part(name, tuple(_by_size(_layers(layers)))) for name, layers in found.items())
    return sorted(made, key=lambda part: (-part.size, part.name))


def _place(name: str) -> tuple[str, str, str]:
    """The part, the layer and the own name of a weight. One without a layer's scope is a layer by itself."""
    part, _, inner = name.removesuffix(_READING).partition("/")
    if not inner:
        return "", part, part
    layer, _, own = inner.rpartition("/")
    return part, layer or own, own


def _layers(layers: Mapping[str, Counter[str]]) -> Iterator[Layer]:
    """A layer for each scope. In a scope of many weights each is one: the scope is that of the whole model."""
    for name, sizes in layers.items():
        if len(sizes) <= _MOST:
            yield Layer(name, sizes.total())
        else:
            yield from (Layer(f"{name}/{own}", size) for own, size in sizes.items())


def _by_size(layers: Iterable[Layer]) -> list[Layer]:
    return sorted(layers, key=lambda layer: (-layer.size, layer.name))
