"""Values for inputs: what a caller may give for each dtype and shape, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ml_dtypes import bfloat16

from bundler.bundle.arguments import Text, feeds
from bundler.bundle.values import fitted
from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.model import TensorSpec
from bundler.ir.nodes import Shape, Tensor
from bundler.runtimes.tensorflow import Runtime

ANY: Shape | None = None


def spec(dtype: DType | None, shape: Shape | None = ANY) -> TensorSpec:
    return TensorSpec(Tensor("x"), dtype, shape)


def strings(*texts: bytes) -> np.ndarray:
    array = np.empty(len(texts), object)
    array[:] = texts
    return array


KEPT: list[tuple[object, DType, Shape | None, np.ndarray]] = [
    (1.5, DType.float32, (), np.float32(1.5)),
    (2, DType.float64, (), np.float64(2)),
    (True, DType.float32, (), np.float32(1)),
    ([1, 2], DType.int64, (None,), np.array([1, 2])),
    ((1 << 63) - 1, DType.int64, (), np.int64((1 << 63) - 1)),
    ((1 << 64) - 1, DType.uint64, (), np.uint64((1 << 64) - 1)),
    (np.array([1, 2], np.int64), DType.uint8, (2,), np.array([1, 2], np.uint8)),
    (np.array([1.5], np.float64), DType.float16, (1,), np.array([1.5], np.float16)),
    ([1.0, float("inf")], DType.bfloat16, (2,), np.array([1, np.inf], bfloat16)),
    (np.array([1.5], bfloat16), DType.float32, (1,), np.array([1.5], np.float32)),
    ([True, False], DType.bool, (2,), np.array([True, False])),
    (["1+2j", "-1j"], DType.complex64, (2,), np.array([1 + 2j, -1j], np.complex64)),
    ([1, 2.5], DType.complex128, (2,), np.array([1, 2.5], np.complex128)),
    ("hello", DType.string, (), np.array(b"hello", object)),
    (["a", b"b\0"], DType.string, (None,), strings(b"a", b"b\0")),
    (np.array(["ä", "b"]), DType.string, (2,), strings("ä".encode(), b"b")),
    ("\udcff", DType.string, (), np.array(b"\xff", object)),
    ([1, 2], DType.float32, (None, 2), np.array([[1, 2]], np.float32)),
    ("hello", DType.string, (1,), strings(b"hello")),
    (3, DType.int32, (None,), np.array([3], np.int32)),
    ([], DType.int32, (None,), np.zeros((0,), np.int32)),
    ([], DType.float32, (None, 4, 2), np.zeros((0, 4, 2), np.float32)),
    ([[], []], DType.int32, (2, None), np.zeros((2, 0), np.int32)),
    (np.zeros((0, 3), np.float32), DType.float32, (None, None), np.zeros((0, 3), np.float32)),
    ([[1], [2]], DType.float32, None, np.array([[1], [2]], np.float32)),
]


@pytest.mark.parametrize(("given", "dtype", "shape", "expected"), KEPT)
def test_a_value_becomes_an_array_of_the_input(
    given: object, dtype: DType, shape: Shape | None, expected: np.ndarray
) -> None:
    found = fitted(given, spec(dtype, shape))
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.tolist() == expected.tolist()


REFUSED: list[tuple[object, DType | None, Shape | None, str]] = [
    (1.0, DType.int32, (), "the dtype does not fit (found float64, expected int32)"),
    (1, DType.bool, (), "the dtype does not fit (found int64, expected bool)"),
    (1j, DType.float32, (), "the dtype does not fit (found complex128, expected float32)"),
    ("abc", DType.float32, (), "the dtype does not fit (found 'abc', expected float32)"),
    (["abc"], DType.complex64, (1,), "this is no complex number (found ['abc'], expected 1+2j)"),
    (None, DType.float32, (), "the dtype does not fit (found None, expected float32)"),
    ({"a": 1}, DType.float32, (), "the dtype does not fit (found {'a': 1}, expected float32)"),
    (1 << 64, DType.int64, (), "the dtype does not fit (found 18446744073709551616, expected int64)"),
    (256, DType.uint8, (), "a number is out of the range of uint8 (found 256)"),
    (-1, DType.uint64, (), "a number is out of the range of uint64 (found -1)"),
    ((1 << 64) - 1, DType.int64, (), "a number is out of the range of int64 (found 18446744073709551615)"),
    ([1, 1e39], DType.float32, (2,), "a number is out of the range of float32 (found 1e+39)"),
    (70000, DType.float16, (), "a number is out of the range of float16 (found 70000)"),
    ([[1], [2, 3]], DType.float32, (2, 2), "this is no array (found [[1], [2, 3]])"),
    ([1, 2, 3], DType.float32, (2,), "the shape does not fit (found [3], expected [2])"),
    ([1, 2], DType.float32, (2, 2), "the shape does not fit (found [2], expected [2, 2])"),
    ([], DType.float32, (None, None), "the shape does not fit (found [0], expected [?, ?])"),
    (5, DType.string, (), "this is no string (found 5, expected text or bytes)"),
    ([["a"], "b"], DType.string, (2,), "this is no string (found ['a'], expected text or bytes)"),
    ("\ud800", DType.string, (), "this text has half a character (found '\\ud800')"),
    (1, None, (), "the input has a dtype that bundler does not know"),
]


@pytest.mark.parametrize(("given", "dtype", "shape", "said"), REFUSED)
def test_a_value_that_does_not_fit_is_refused(
    given: object, dtype: DType | None, shape: Shape | None, said: str
) -> None:
    with pytest.raises(BundlerError) as error:
        fitted(given, spec(dtype, shape))
    assert str(error.value) == said


WRITTEN: list[tuple[str, DType, Any]] = [
    ("1.5", DType.float32, 1.5),
    ("[1, 2]", DType.float32, [1, 2]),
    (".5", DType.float32, 0.5),
    ("+1e3", DType.float32, 1000),
    ("-inf", DType.float32, -np.inf),
    ("Infinity", DType.float32, np.inf),
    ("true", DType.bool, True),
    ("9007199254740993", DType.int64, 9007199254740993),
    ("1+2j", DType.complex64, 1 + 2j),
    ("hello", DType.string, b"hello"),
    ("1", DType.string, b"1"),
    ("", DType.string, b""),
    ("[a]", DType.string, b"[a]"),
    ("{}", DType.string, b"{}"),
    ('"a.png"', DType.string, b"a.png"),
    ('["a", {"b64": "/w=="}]', DType.string, [b"a", b"\xff"]),
]


@pytest.mark.parametrize(("text", "dtype", "expected"), WRITTEN)
def test_a_value_may_be_written_as_text(text: str, dtype: DType, expected: object, runtime: Runtime) -> None:
    (found,) = feeds({"x": spec(dtype)}, Text(text), runtime).values()
    assert found.tolist() == expected


@pytest.mark.parametrize("text", ["abc", "1_000", "", "[1,", "1" * 10_000, "[" * 100_000])
def test_text_that_is_no_value_is_refused_with_what_a_value_is(text: str, runtime: Runtime) -> None:
    with pytest.raises(
        BundlerError, match=r"input 'x': this is no value \(found .*, expected a number, JSON, or a file: "
    ):
        feeds({"x": spec(DType.float32)}, {"x": Text(text)}, runtime)


def test_nan_is_a_number(runtime: Runtime) -> None:
    found = feeds({"x": spec(DType.float32)}, Text("[NaN, 1]"), runtime)["x"]
    np.testing.assert_array_equal(found, [np.nan, 1])


TWO = {"image": spec(DType.float32, (None, 2)), "size": spec(DType.int32, ())}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "input 'image' has no value (expected float32[?, 2])\ninput 'size' has no value (expected int32[])"),
        ({"size": 1}, "input 'image' has no value (expected float32[?, 2])"),
        ({"imgae": 1, "size": 2}, "there is no input 'imgae' (expected image: float32[?, 2], size: int32[])"),
        (5, "a value without a name needs a signature with one input"
            " (found image: float32[?, 2], size: int32[], expected NAME=VALUE)"),
        (
            {"image": [1], "size": 0.5},
            "input 'image': the shape does not fit (found [1], expected [?, 2])\n"
            "input 'size': the dtype does not fit (found float64, expected int32)",
        ),
    ],
)  # fmt: skip
def test_all_inputs_that_are_wrong_are_reported(given: object, said: str, runtime: Runtime) -> None:
    with pytest.raises(BundlerError) as error:
        feeds(TWO, given, runtime)
    assert str(error.value) == said


def test_a_name_that_is_nearly_right_has_a_hint(runtime: Runtime) -> None:
    with pytest.raises(BundlerError) as error:
        feeds(TWO, {"imgae": 1, "size": 2}, runtime)
    assert error.value.faults[0].hint == "did you mean 'image'?"


def test_a_signature_without_inputs_takes_none(runtime: Runtime) -> None:
    assert feeds({}, {}, runtime) == {}
    with pytest.raises(BundlerError, match=r"there is no input 'x' \(expected no input\)"):
        feeds({}, {"x": 1}, runtime)
