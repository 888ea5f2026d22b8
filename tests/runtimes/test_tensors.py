"""Arrays as plain data, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bundler.ir.dtypes import DType
from bundler.runtimes.tensors import packed, unpacked

STRINGS = [b"a\0", "é".encode()]
CASES: dict[str, tuple[np.ndarray, tuple[Any, ...]]] = {
    "numbers": (np.array([[1, 2]], np.int16), (DType.int16, (1, 2), b"\1\0\2\0")),
    "a scalar": (np.array(True), (DType.bool, (), b"\1")),
    "big-endian numbers": (np.array([1], ">i4"), (DType.int32, (1,), b"\1\0\0\0")),
    "a transposed array": (np.array([[1, 2], [3, 4]], np.uint8).T, (DType.uint8, (2, 2), b"\1\3\2\4")),
    "no numbers": (np.zeros((0, 3), np.float32), (DType.float32, (0, 3), b"")),
    "bytes": (np.array(STRINGS, object), (DType.string, (2,), STRINGS)),
    "a scalar of bytes": (np.array(b"a", object), (DType.string, (), [b"a"])),
    "str": (np.array([["é"]]), (DType.string, (1, 1), ["é".encode()])),
    "NumPy's bytes": (np.array([b"ab", b"c"]), (DType.string, (2,), [b"ab", b"c"])),
    "no strings": (np.zeros((0, 2), object), (DType.string, (0, 2), [])),
}


@pytest.mark.parametrize(("array", "plain"), CASES.values(), ids=CASES.keys())
def test_an_array_and_its_plain_data(array: np.ndarray, plain: tuple[Any, ...]) -> None:
    assert packed(array) == plain
    back = unpacked(packed(array))
    assert back.shape == array.shape
    assert packed(back) == plain


@pytest.mark.parametrize("dtype", [np.longdouble, np.dtype("M8[s]"), np.dtype([("a", "i4")])])
def test_a_dtype_that_tensorflow_lacks_is_a_value_error(dtype: Any) -> None:
    with pytest.raises(ValueError, match="is not a dtype"):
        packed(np.zeros(1, dtype))
