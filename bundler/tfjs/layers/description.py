"""A Keras model as a description: kinds of layers with typed options, and the calls that connect them.

It has one form, whichever version of Keras or TensorFlow.js wrote the model, and it holds values that `configuration`
constructed: no object of the file is a part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import NamedTuple, TypeAlias

__all__ = [
    "MODELS",
    "Argument",
    "Call",
    "Index",
    "Input",
    "Layer",
    "Network",
    "Part",
    "Slice",
    "Stack",
    "Tensor",
    "Value",
    "inner",
    "parts",
]

MODELS = ("Functional", "Model", "Sequential")
"""Kinds of layers that are made of layers."""

Value: TypeAlias = "bool | int | float | str | tuple[Value, ...] | Part | None"
"""What an option may be; the reader of the option narrows it."""


@dataclass(frozen=True)
class Tensor:
    """A result of a call of a layer: the first call is 0, as is the first result."""

    layer: str
    call: int
    output: int


class Slice(NamedTuple):
    """Part of an axis, as in `x[start:stop:step]`."""

    start: int | None
    stop: int | None
    step: int | None


Index: TypeAlias = "tuple[int | Slice | EllipsisType | None, ...]"
"""What stands in the brackets of `x[…]`; None is a new axis."""
Input: TypeAlias = "Tensor | bool | int | float | Index"
"""An input of a layer is a tensor. Operators take numbers and indices, too."""
Argument: TypeAlias = "bool | Tensor | tuple[Tensor, ...] | None"


class Call(NamedTuple):
    """One call of the layer of this name, with tensors and named arguments."""

    layer: str
    inputs: tuple[Input, ...]
    arguments: Mapping[str, Argument] = {}

    @property
    def tensors(self) -> Iterator[Tensor]:
        """All tensors that the call needs."""
        for value in (*self.inputs, *self.arguments.values()):
            tensors = value if isinstance(value, tuple) else (value,)
            yield from (each for each in tensors if isinstance(each, Tensor))


@dataclass(frozen=True)
class Layer:
    """A layer with all options of its kind, see `options.KINDS`.

    `shape` is that of its input, None for unknown sizes, if the layer begins a Sequential or is an InputLayer. Without
    a name it gets one from Keras.
    """

    kind: str
    name: str | None
    dtype: str
    shape: tuple[int | None, ...] | None
    options: Mapping[str, Value]


@dataclass(frozen=True)
class Stack:
    """Layers that are called one after the other (`Sequential`)."""

    name: str | None
    layers: tuple[Part, ...]


@dataclass(frozen=True)
class Network:
    """Layers and their calls (`Functional`); those of one layer stand in their order, and none needs itself."""

    name: str | None
    layers: tuple[Part, ...]
    calls: tuple[Call, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


Part: TypeAlias = "Layer | Stack | Network"


def inner(part: Part) -> tuple[Part, ...]:
    """The layers directly inside of a layer or a model."""
    if not isinstance(part, Layer):
        return part.layers
    values = [item for value in part.options.values() for item in (value if isinstance(value, tuple) else [value])]
    return tuple(value for value in values if isinstance(value, (Layer, Stack, Network)))


def parts(part: Part) -> Iterator[Part]:
    """A layer or a model, and all layers in it at any depth."""
    yield part
    for each in inner(part):
        yield from parts(each)
