"""The element types of tensors, under TensorFlow's numbers and NumPy's names.

The numbers are those of `DataType` in tensorflow/core/framework/types.proto.
"""

from __future__ import annotations

import builtins
from enum import IntEnum

import numpy as np

__all__ = ["HALVES", "DType"]


class DType(IntEnum):
    """A dtype; `DType.float32 == 1` as in TensorFlow's protobufs."""

    float32 = 1
    float64 = 2
    int32 = 3
    uint8 = 4
    int16 = 5
    int8 = 6
    string = 7
    complex64 = 8
    int64 = 9
    bool = 10
    qint8 = 11
    quint8 = 12
    qint32 = 13
    bfloat16 = 14
    qint16 = 15
    quint16 = 16
    uint16 = 17
    complex128 = 18
    float16 = 19
    resource = 20
    variant = 21
    uint32 = 22
    uint64 = 23

    def __str__(self) -> str:
        return self.name

    @property
    def proto_name(self) -> str:
        """TensorFlow's spelling: `DT_FLOAT` for float32."""
        return _PROTO_NAMES.get(self.name, f"DT_{self.name.upper()}")

    @property
    def numpy(self) -> np.dtype[np.generic]:
        """The little-endian NumPy dtype. Raises TypeError if `is_number` is false (string, resource)."""
        try:
            dtype: np.dtype[np.generic] = _NUMPY[self]
        except KeyError:
            raise TypeError(f"NumPy has no {self}") from None
        return dtype

    @property
    def is_number(self) -> builtins.bool:
        """Whether NumPy has this dtype: numbers and bool."""
        return self in _NUMPY

    @classmethod
    def parse(cls, spelled: str | int) -> DType:
        """The dtype of `DT_FLOAT`, `float32` or 1. Raises ValueError for anything else."""
        try:
            return cls(spelled) if isinstance(spelled, int) else _BY_SPELLING[spelled]
        except (KeyError, ValueError):
            raise ValueError(f"{spelled!r} is not a dtype") from None


HALVES = (DType.float16, DType.bfloat16)
"""Floats of half precision. TensorFlow.js computes in float32 instead."""
_PROTO_NAMES = {
    "float32": "DT_FLOAT",
    "float64": "DT_DOUBLE",
    "float16": "DT_HALF",
}
_NUMPY = {
    dtype: np.dtype(dtype.name).newbyteorder("<")
    for dtype in (
        *(DType.bool, DType.uint8, DType.uint16, DType.uint32, DType.uint64),
        *(DType.int8, DType.int16, DType.int32, DType.int64),
        *(DType.float16, DType.float32, DType.float64, DType.complex64, DType.complex128),
    )
}
_BY_SPELLING = {dtype.name: dtype for dtype in DType} | {dtype.proto_name: dtype for dtype in DType}
