"""Values: tensors of a graph that is being written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Shape
from bundler.ir.shapes import shown

if TYPE_CHECKING:
    from bundler.drafting.sketch import Sketch

__all__ = ["Operand", "Value", "broadcast"]


class Value(NamedTuple):
    """A tensor: how nodes of its graph `home` refer to it, its shape (None for unknown sizes) and its dtype.

    `mask` is a bool tensor that is false at the steps to skip. It has the shape of the first dimensions, mostly
    (batch, steps).
    """

    reference: str
    shape: Shape
    dtype: DType
    home: Sketch
    mask: Value | None = None

    @property
    def rank(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def masked(self, mask: Value | None) -> Value:
        """The same tensor with another mask."""
        return self._replace(mask=mask)


Operand: TypeAlias = "Value | float"
"""What an op reads: a tensor, or a number that becomes a constant of the other operand's dtype."""


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The shape that TensorFlow's broadcasting gives. ConversionError if the shapes do not fit."""
    result: Shape = ()
    for shape in shapes:
        rank = max(len(result), len(shape))
        one, other = ((1,) * (rank - len(each)) + tuple(each) for each in (result, shape))
        result = tuple(_common(*sizes, one, other) for sizes in zip(one, other))
    return result


def _common(one: int | None, other: int | None, *shapes: Shape) -> int | None:
    if one == other or other == 1:
        return one
    if one == 1 or one is None:
        return other
    if other is None:
        return one
    found = " and ".join(map(shown, shapes))
    raise ConversionError("shapes do not fit each other", found=found, expected="equal sizes, or sizes of 1")
