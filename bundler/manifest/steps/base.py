"""What all steps have, and types of their parameters."""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Shape
from bundler.manifest.fields import Spec, Text

__all__ = [
    "MANY",
    "Axes",
    "Axis",
    "Extent",
    "Labels",
    "Names",
    "Number",
    "Numbers",
    "OpStep",
    "Size",
    "TensorType",
    "TypeText",
    "parse_type",
]

_LARGEST = (1 << 31) - 1

MANY = 1000
"""The most tensors of a step that takes any number of them."""


def _listed(value: Any) -> Any:
    """One value as an array of one."""
    return value if isinstance(value, (list, tuple)) else [value]


def _one_or_many(kind: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": kind}, {"type": "array", "items": {"type": kind}}]})


Names = Annotated[tuple[Text, ...], BeforeValidator(_listed), _one_or_many("string")]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Numbers = Annotated[tuple[Number, ...], BeforeValidator(_listed), Field(min_length=1), _one_or_many("number")]
Axis = Annotated[int, Field(strict=True, ge=-254, le=253)]
Axes = Annotated[tuple[Axis, ...], BeforeValidator(_listed), _one_or_many("integer")]
Extent = Annotated[int, Field(strict=True, ge=1, le=1 << 15)]
"""The size of a side of an image, in pixels."""
Size = tuple[Extent, Extent]
Labels = Annotated[tuple[str, ...], Field(min_length=1), _one_or_many("string")]
"""The manifest's reader has put the lines of a file in place of its name."""


class TensorType(NamedTuple):
    """The dtype and shape of a tensor; None for an unknown size."""

    dtype: DType
    shape: Shape


_TYPE = re.compile(r"([a-z]+[0-9]*)(?:\[((?:\?|\d{1,10})(?:, *(?:\?|\d{1,10}))*)?\])?")


def parse_type(text: str) -> TensorType:
    """The type that `string`, `string[?]` or `float32[1, ?, ?, 3]` spells. Raises ValueError for any other text."""
    matched = _TYPE.fullmatch(text.strip())
    if matched is None:
        raise ValueError(text)
    dtype = DType.parse(matched[1])
    shape = tuple(None if size.strip() == "?" else int(size) for size in (matched[2] or "").split(",") if size.strip())
    if not (dtype.is_number or dtype == DType.string) or any((size or 0) > _LARGEST for size in shape):
        raise ValueError(text)
    return TensorType(dtype, shape)


def _check_type(text: str) -> str:
    try:
        parse_type(text)
    except ValueError:
        raise PydanticCustomError("tensor_type", "is not the type of a tensor") from None
    return text


TypeText = Annotated[str, AfterValidator(_check_type)]


class OpStep(Spec):
    """A step that computes."""

    op: str
    of: Names = Field(default=(), description="What it takes. Default: what the step before gave.")
    names: Names = Field(default=(), alias="as", description="Names of what it gives.")

    @property
    def label(self) -> str:
        """The step in a word."""
        return self.op

    @property
    def takes(self) -> tuple[int, int]:
        """The least and the largest number of tensors that it takes."""
        return 1, 1

    @property
    def results(self) -> tuple[int, int]:
        """How many tensors it gives, and how many if `as` names them all."""
        return 1, 1
