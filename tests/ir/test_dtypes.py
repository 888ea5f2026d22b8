from __future__ import annotations

import numpy as np
import pytest

from bundler.ir.dtypes import DType
from bundler.ir.protos import TensorProto

NUMBERS = [
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
]


@pytest.mark.parametrize("dtype", DType)
def test_numbers_and_names_are_those_of_tensorflow(dtype: DType) -> None:
    known = TensorProto.DESCRIPTOR.fields_by_name["dtype"].enum_type.values_by_name
    assert known[dtype.proto_name].number == dtype


@pytest.mark.parametrize("dtype", DType)
def test_every_spelling_is_read(dtype: DType) -> None:
    assert DType.parse(dtype.name) is DType.parse(dtype.proto_name) is DType.parse(dtype.value) is dtype
    assert str(dtype) == dtype.name


@pytest.mark.parametrize("spelled", ["", "float", "DT_FLOAT32", "DT_INVALID", 0, 101])
def test_anything_else_is_no_dtype(spelled: str | int) -> None:
    with pytest.raises(ValueError, match=f"^{spelled!r} is not a dtype$"):
        DType.parse(spelled)


def test_the_numbers_are_those_that_numpy_has() -> None:
    assert {dtype.name for dtype in DType if dtype.is_number} == set(NUMBERS)


@pytest.mark.parametrize("name", NUMBERS)
def test_numpy_reads_little_endian_bytes(name: str) -> None:
    dtype = DType[name].numpy
    assert dtype == np.dtype(name).newbyteorder("<")
    assert np.frombuffer(np.array([1, 0, 1], dtype).tobytes(), dtype).tolist() == [1, 0, 1]


@pytest.mark.parametrize("name", ["string", "resource", "variant", "qint8"])
def test_numpy_has_no_dtype_for_the_rest(name: str) -> None:
    with pytest.raises(TypeError):
        _ = DType[name].numpy
