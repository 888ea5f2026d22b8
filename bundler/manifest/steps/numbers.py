"""Steps that compute with numbers of any shape."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bundler.manifest.steps.base import Axes, Axis, Labels, Number, Numbers, OpStep

__all__ = [
    "ArgMax",
    "Arithmetic",
    "Cast",
    "Clip",
    "LabelsStep",
    "Normalize",
    "Reduce",
    "Softmax",
    "TopK",
    "Unary",
]


class Arithmetic(OpStep):
    """Element by element, of a tensor and numbers, or of two tensors of one dtype whose shapes are broadcast."""

    op: Literal["add", "sub", "mul", "div", "maximum", "minimum", "greater"]
    by: Numbers | None = Field(
        default=None, description="A number, or one for each entry of the last dimension. Default: a second tensor."
    )

    @property
    def takes(self) -> tuple[int, int]:
        return (1, 1) if self.by else (2, 2)


class Cast(OpStep):
    """The same numbers in another dtype; fractions are cut off, true is 1."""

    op: Literal["cast"]
    dtype: Literal["float32", "int32", "uint8", "bool"] = Field(description="The dtype.")


class Clip(OpStep):
    """Numbers below `min` become `min`, those above `max` become `max`."""

    op: Literal["clip"]
    min: Number = Field(description="The least value.")
    max: Number = Field(description="The largest value.")


class Unary(OpStep):
    """Element by element."""

    op: Literal["exp", "floor", "round", "sqrt", "square", "neg", "abs", "relu", "sigmoid"]


class Softmax(OpStep):
    """Over the last dimension."""

    op: Literal["softmax", "log_softmax"]


class Reduce(OpStep):
    """One number in place of those along some axes."""

    op: Literal["reduce_max", "reduce_min", "reduce_mean", "reduce_sum"]
    axis: Axes | None = Field(default=None, description="An axis, or several. Default: all.")
    keep_dims: bool = Field(default=False, description="Whether the axes stay, with size 1.")


class Normalize(OpStep):
    """Numbers less their mean, by their standard deviation (`standardize`); or by their length (`l2_normalize`)."""

    op: Literal["standardize", "l2_normalize"]
    axis: Axes | None = Field(default=None, description="The axes that belong together. Default: all.")
    epsilon: Number = Field(default=0.0, description="Is added to the standard deviation, or to the length.")


class ArgMax(OpStep):
    """The index of the largest number along an axis, as int32; of equal ones the first."""

    op: Literal["arg_max"]
    axis: Axis = Field(default=-1, description="The axis.")


class TopK(OpStep):
    """The largest numbers of the last dimension, and their indices as int32, or their labels as strings."""

    op: Literal["top_k"]
    k: int = Field(strict=True, ge=1, le=1 << 20, description="How many.")
    labels: Labels | None = Field(
        default=None, description="A label for each index, or the name of a file beside the manifest, one a line."
    )

    @property
    def results(self) -> tuple[int, int]:
        return 2, 2


class LabelsStep(OpStep):
    """The labels of int32 indices, as strings. An index beyond them is an error when it runs."""

    op: Literal["labels"]
    labels: Labels = Field(description="The labels, or the name of a file beside the manifest, one a line.")
