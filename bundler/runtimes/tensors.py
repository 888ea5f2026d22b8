"""Tensors as plain data: what NumPy's arrays become on their way to another program, and back."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.shapes import shown
from bundler.runtimes.failures import Refused

__all__ = ["numpy_dtype", "packed", "unpacked"]

Plain: TypeAlias = "tuple[int, tuple[int, ...], bytes | list[bytes]]"
"""TensorFlow's number of the dtype, the shape, and the little-endian bytes; for strings a list of them."""


def numpy_dtype(dtype: DType) -> np.dtype[np.generic]:
    """The little-endian dtype of arrays that hold these numbers; of bfloat16 that of ml_dtypes, as TensorFlow has it.

    Raises TypeError for a dtype that is no number.
    """
    if dtype != DType.bfloat16:
        return dtype.numpy
    from ml_dtypes import bfloat16

    return np.dtype(bfloat16)


def packed(array: np.ndarray) -> Plain:
    """An array as plain data. Strings may be an object array of bytes or str, or NumPy's `S` or `U`.

    Raises ValueError for a dtype that TensorFlow does not have.
    """
    if array.dtype.kind in "OSU":
        strings = [text.encode() if isinstance(text, str) else bytes(text) for text in array.flat]
        return DType.string.value, array.shape, strings
    dtype = DType.parse(array.dtype.name)
    return dtype.value, array.shape, array.astype(numpy_dtype(dtype)).tobytes()


def unpacked(plain: Plain) -> np.ndarray:
    """The array of plain data; of strings, an object array of bytes. Numbers are read-only.

    Raises Refused for a shape that NumPy cannot hold: more than 64 sizes, or with a 0 among sizes whose product has
    more than 63 bits.
    """
    dtype, shape, content = plain
    if isinstance(content, bytes):
        flat = np.frombuffer(content, numpy_dtype(DType(dtype)))
    else:
        flat = np.empty(len(content), object)
        flat[:] = content
    try:
        return flat.reshape(shape)
    except ValueError as error:
        raise Refused(f"no array has the shape of a value: {shown(shape)}") from error
