"""What all layers of one model share while its graph is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from bundler.errors import ConversionError
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function
from bundler.tfjs.layers.description import Part
from bundler.tfjs.layers.graph.sketch import Sketch
from bundler.tfjs.layers.graph.value import Value
from bundler.tfjs.layers.matching import Variable
from bundler.tfjs.layers.origins import Origin

if TYPE_CHECKING:
    from bundler.tfjs.layers.graph.scope import Scope

__all__ = ["Apply", "Kept", "Library", "Stored"]

Apply: TypeAlias = "Callable[[Part, Scope, tuple[Value, ...], Mapping[str, Any]], tuple[Value, ...]]"
"""Calls a layer or a model in a scope."""

_MOST_NODES = 200_000
"""Of one model, its functions included. NASNetLarge has 6,000."""


class Stored(NamedTuple):
    """A variable of the model, and the value that reads it."""

    variable: Variable
    value: Value


class Kept(NamedTuple):
    """The states that a layer keeps from one call of the model to the next: inputs, and values that become outputs."""

    before: tuple[Value, ...]
    after: tuple[Value, ...]


class Library:
    """The main graph, variables and kept states by path, functions by name, and how much more may be written."""

    def __init__(self, origin: Origin, elements: int, apply: Apply) -> None:
        self.origin = origin
        self.apply = apply
        self.main = Sketch()
        self.functions: dict[str, Function] = {}
        self.stored: dict[str, Stored] = {}
        self.kept: dict[str, Kept] = {}
        self.function_names = FreshNames(())
        self._elements = self._elements_left = elements
        self._nodes_left = _MOST_NODES

    def spend_node(self) -> None:
        """Count a node. ConversionError for one too many."""
        self._nodes_left -= 1
        if self._nodes_left < 0:
            raise ConversionError("the model makes too large a graph", expected=f"at most {_MOST_NODES:,} nodes")

    def spend_elements(self, name: str, shape: tuple[int, ...]) -> None:
        """Count the elements of a variable. ConversionError if the file has not so many."""
        self._elements_left -= math.prod(shape)
        if self._elements_left < 0:
            raise ConversionError(
                "the variables are larger than all weights of the model",
                found=f"variables up to {name!r} of shape {list(shape)}",
                expected=f"at most {self._elements:,} elements",
            )
