"""How far weights moved, and which."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest

from bundler.differences.weights import weight_changes
from bundler.disk.shards import Group, Memory
from bundler.ir.dtypes import DType
from bundler.ir.nodes import tensor_proto
from bundler.ir.protos import TensorProto
from bundler.ir.weight import Affine, Weight
from bundler.report.difference import WeightChange
from bundler.stored.weights import in_memory

BIG = (1 << 53) + 1


def weight(values: object, dtype: str = "float32") -> Weight:
    found = in_memory(tensor_proto(np.array(values, dtype)))
    assert found is not None
    return found


def words(*values: bytes) -> Weight:
    found = in_memory(TensorProto(dtype=DType.string.value, string_val=values, tensor_shape=shape(len(values))))
    assert found is not None
    return found


def halves(content: bytes) -> Weight:
    """bfloat16, which NumPy does not have."""
    found = in_memory(TensorProto(dtype=DType.bfloat16.value, tensor_content=content, tensor_shape=shape(2)))
    assert found is not None
    return found


def shape(size: int) -> object:
    return tensor_proto(np.zeros(size, np.uint8)).tensor_shape


QUANTIZED = Weight(DType.float32, (2,), Group((Memory(b"\1\3"),)), 0, 2, DType.uint8, Affine(0.5, 0.0, DType.float32))


@pytest.mark.parametrize(
    ("before", "after", "elements", "absolute", "relative"),
    [
        (weight([1, 2, -4]), weight([1, 2, -3]), 1, 1.0, 0.25),
        (weight([0, 0]), weight([0, 2]), 1, 2.0, inf),
        (weight([1, nan]), weight([1, 2]), 1, inf, inf),
        (weight([1, inf]), weight([1, -inf]), 1, inf, inf),
        (weight([1, 2], "int32"), weight([1, -2], "int32"), 1, 4.0, 2.0),
        (weight([BIG], "int64"), weight([BIG - 1], "int64"), 1, 0.0, 0.0),
        (weight([True, False], "bool"), weight([True, True], "bool"), 1, 1.0, 1.0),
        (weight([1 + 1j], "complex64"), weight([1 - 2j], "complex64"), 1, 3.0, 3 / 2**0.5),
        (weight([1, 65504], "float16"), weight([1, -65504], "float16"), 1, 131008.0, 2.0),
        (words(b"cat", b"dog"), words(b"cat", b"cow"), 1, None, None),
        (halves(b"\0\1\2\3"), halves(b"\0\1\2\4"), 2, None, None),
        (QUANTIZED, weight([0.5, 2.0]), 1, 0.5, 1 / 3),
        (weight(np.zeros(70_000)), weight(np.arange(70_000) == 69_999), 1, 1.0, inf),
    ],
    ids=[
        *("floats", "from zero", "NaN", "infinities", "integers", "integers beyond floats", "booleans", "complex"),
        *("halves", "text", "a dtype without NumPy", "a quantized weight", "in a later part"),
    ],
)
def test_changed_values(
    before: Weight, after: Weight, elements: int, absolute: float | None, relative: float | None
) -> None:
    (change,) = weight_changes({"w": before}, {"w": after})
    assert (change.kind, change.elements, change.absolute) == ("changed", elements, absolute)
    assert change.relative == (None if relative is None else pytest.approx(relative))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (weight([1, 2]), weight([1, 2])),
        (weight([nan, -0.0]), weight([nan, 0.0])),
        (weight([]), weight([])),
        (words(b"cat"), words(b"cat")),
        (halves(b"\0\1\2\3"), halves(b"\0\1\2\3")),
        (QUANTIZED, weight([0.5, 1.5])),
    ],
    ids=["the same", "NaN and zeros of another sign", "nothing", "text", "a dtype without NumPy", "dequantized"],
)
def test_equal_values_are_no_change(before: Weight, after: Weight) -> None:
    assert list(weight_changes({"w": before}, {"w": after})) == []


def test_weights_that_come_go_or_have_another_form() -> None:
    before = {"gone": weight([1.0]), "cast": weight([1.0]), "grown": weight([1.0])}
    after = {"cast": weight([1], "int32"), "grown": weight([[1.0, 2.0]]), "new": words(b"cat")}
    assert list(weight_changes(before, after)) == [
        WeightChange("cast", "changed", "float32[1]", "int32[1]", 1, 1),
        WeightChange("gone", "removed", "float32[1]", ""),
        WeightChange("grown", "changed", "float32[1]", "float32[1, 2]", 2, 2),
        WeightChange("new", "added", "", "string[1]"),
    ]
