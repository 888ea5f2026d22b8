"""Steps that move numbers and do not change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from bundler.manifest.fields import Text
from bundler.manifest.steps.base import MANY, Axes, Axis, Number, OpStep, TypeText

__all__ = [
    "Concat",
    "ExpandDims",
    "Flip",
    "Gather",
    "Pad",
    "ParseExample",
    "Reshape",
    "Shape",
    "Slice",
    "Squeeze",
    "Take",
    "Transpose",
]

_Int = Annotated[int, Field(strict=True, ge=-(1 << 31), le=(1 << 31) - 1)]
_Count = Annotated[int, Field(strict=True, ge=0, le=1 << 15)]


class Reshape(OpStep):
    """The same numbers in another shape."""

    op: Literal["reshape"]
    shape: tuple[Annotated[int, Field(strict=True, ge=-1, le=(1 << 31) - 1)], ...] = Field(
        max_length=254, description="Sizes; one may be -1, and follows from the others."
    )


class Shape(OpStep):
    """The sizes of a tensor, as int32: for what is computed from the size of an image."""

    op: Literal["shape"]


class Transpose(OpStep):
    """The axes in another order."""

    op: Literal["transpose"]
    perm: Axes = Field(description="The axis of the input for each axis of the result.")


class Squeeze(OpStep):
    """Without axes of size 1."""

    op: Literal["squeeze"]
    axis: Axes = Field(description="The axes.")


class ExpandDims(OpStep):
    """One more axis, of size 1."""

    op: Literal["expand_dims"]
    axis: Axis = Field(description="Its place.")


class Concat(OpStep):
    """Several tensors, one after the other along an axis (`concat`) or along a new one (`stack`)."""

    op: Literal["concat", "stack"]
    axis: Axis = Field(description="The axis.")

    @property
    def takes(self) -> tuple[int, int]:
        return 1, MANY


class Slice(OpStep):
    """A part of each axis."""

    op: Literal["slice"]
    begin: tuple[_Int, ...] = Field(description="The first index on each axis.")
    size: tuple[_Int, ...] = Field(description="How many on each axis; -1 for all that are left.")


class Take(OpStep):
    """One entry along an axis, which goes."""

    op: Literal["take"]
    index: _Int = Field(description="Its index. A negative one counts from the end.")
    axis: Axis = Field(default=0, description="The axis.")


class Gather(OpStep):
    """The entries of the first tensor, along an axis, whose int32 indices the second one has."""

    op: Literal["gather"]
    axis: Axis = Field(default=0, description="The axis.")

    @property
    def takes(self) -> tuple[int, int]:
        return 2, 2


class Pad(OpStep):
    """More entries of one value before and after, on each axis."""

    op: Literal["pad"]
    paddings: tuple[tuple[_Count, _Count], ...] = Field(description="How many before and after, for each axis.")
    value: Number = Field(default=0.0, description="The value.")


class Flip(OpStep):
    """Some axes from their end to their beginning."""

    op: Literal["flip"]
    axis: Axes = Field(description="The axes.")


class ParseExample(OpStep):
    """Features of serialized tf.Examples, string[?]: the front of signatures for `classify` and `regress`.

    It gives each feature under its name, or the names of `as`, with the batch as first dimension. An example without a
    feature is an error when it runs.
    """

    op: Literal["parse_example"]
    features: Mapping[Text, TypeText] = Field(
        min_length=1, description="The type of each feature in one example: `string`, `float32[3]` or `int64`."
    )

    @property
    def results(self) -> tuple[int, int]:
        return len(self.features), len(self.features)
