"""What all layers of one model share while its graph is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from bundler.drafting import library
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.tfjs.layers.description import Part
from bundler.tfjs.layers.matching import Variable
from bundler.tfjs.layers.origins import Origin

if TYPE_CHECKING:
    from bundler.tfjs.layers.graph.scope import Scope

__all__ = ["Apply", "Kept", "Library", "Stored"]

Apply: TypeAlias = "Callable[[Part, Scope, tuple[Value, ...], Mapping[str, Any]], tuple[Value, ...]]"
"""Calls a layer or a model in a scope."""


class Stored(NamedTuple):
    """A variable of the model, and the value that reads it."""

    variable: Variable
    value: Value


class Kept(NamedTuple):
    """The states that a layer keeps from one call of the model to the next: inputs, and values that become outputs."""

    before: tuple[Value, ...]
    after: tuple[Value, ...]


class Library(library.Library):
    """The main graph and its functions, variables and kept states by path, and how much more may be written."""

    def __init__(self, origin: Origin, elements: int, apply: Apply) -> None:
        super().__init__()
        self.origin = origin
        self.apply = apply
        self.stored: dict[str, Stored] = {}
        self.kept: dict[str, Kept] = {}
        self._elements = self._elements_left = elements

    def spend_elements(self, name: str, shape: tuple[int, ...]) -> None:
        """Count the elements of a variable. ConversionError if the file has not so many."""
        self._elements_left -= math.prod(shape)
        if self._elements_left < 0:
            raise ConversionError(
                "the variables are larger than all weights of the model",
                found=f"variables up to {name!r} of shape {list(shape)}",
                expected=f"at most {self._elements:,} elements",
            )
