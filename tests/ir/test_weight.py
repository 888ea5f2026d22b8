from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

import bundler.disk.shards
import bundler.ir.weight
from bundler.disk.shards import Group
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.weight import Affine, Weight
from tests.support.models import in_pieces

FLOAT, INT = DType.float32, DType.int32


def stored(value: np.ndarray, dtype: DType | None = None, affine: Affine | None = None, *sizes: int) -> Weight:
    """A weight of `dtype` whose bytes are the array's."""
    content, own = value.tobytes(), DType.parse(value.dtype.name)
    return Weight(dtype or own, value.shape, in_pieces(content, *sizes), 0, len(content), own, affine)


NUMBERS = [dtype for dtype in DType if dtype.is_number]


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
def test_numbers_that_the_file_holds_as_the_graph_does_pass_through(dtype: DType) -> None:
    value = np.array([[0, 1, 1], [1, 0, 1]], dtype.numpy)
    weight = stored(value, None, None, 1, 2)
    assert weight.is_verbatim
    assert (weight.size, weight.nbytes) == (6, value.nbytes)
    assert b"".join(weight.chunks()) == value.tobytes()
    assert weight.array().dtype == value.dtype
    np.testing.assert_array_equal(weight.array(), value)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3)])
def test_scalars_and_empty_tensors_have_their_shape(shape: tuple[int, ...]) -> None:
    value = np.ones(shape, np.float32)
    assert stored(value).array().shape == shape
    assert b"".join(stored(value).chunks()) == value.tobytes()


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.array([-1, 2**31 - 1], np.int32), DType.int64),
        (np.array([0.1, -np.inf], np.float32), DType.float64),
        (np.array([0.1, 65504], np.float16), DType.float32),
        (np.array([1 + 2j], np.complex64), DType.complex128),
        (np.array([0, 255], np.uint8), DType.float32),
        (np.array([True, False]), DType.int32),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, np.ndarray) else str(value),
)
def test_a_weight_becomes_what_the_graph_says(value: np.ndarray, dtype: DType) -> None:
    weight = stored(value).cast(dtype)
    assert not weight.is_verbatim
    assert (weight.dtype, weight.nbytes) == (dtype, value.size * dtype.numpy.itemsize)
    assert weight.array().dtype == dtype.numpy
    np.testing.assert_array_equal(weight.array(), value.astype(dtype.numpy))


@pytest.mark.parametrize(
    ("found", "wanted"), [(FLOAT, DType.string), (DType.string, FLOAT), (FLOAT, DType.resource), (FLOAT, DType.qint8)]
)
def test_numbers_are_no_strings_and_nothing_is_a_resource(found: DType, wanted: DType) -> None:
    weight = Weight(found, (), Group(()), 0, 0, found)
    with pytest.raises(ConversionError) as caught:
        weight.cast(wanted)
    assert str(caught.value) == f"its weight is {found}, which makes no constant (expected {wanted})"


def test_a_cast_to_its_own_dtype_is_the_same_weight() -> None:
    strings = Weight(DType.string, (), Group(()), 0, 0, DType.string)
    assert strings.cast(DType.string) == strings


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_quantized_numbers_are_computed_in_float64_then_cast(kind: type[np.generic]) -> None:
    value = np.array([0, 1, 127, np.iinfo(kind).max], kind)
    scale, least = 0.1, -3.3333333333
    found = stored(value, FLOAT, Affine(scale, least, FLOAT)).array()
    assert found.dtype == np.float32
    assert found.tolist() == [float(np.float32(int(one) * scale + least)) for one in value]


def test_what_is_left_of_two_large_numbers_is_not_lost() -> None:
    value = np.array([65535], np.uint16)
    found = stored(value, FLOAT, Affine(0.1, -6553.4, FLOAT)).array()
    assert found.tolist() == [float(np.float32(65535 * 0.1 - 6553.4))]


def test_quantized_integers_are_rounded_as_javascript_does() -> None:
    value = np.array([0, 1, 2, 3, 4], np.uint8)
    assert stored(value, INT, Affine(0.5, -1.0, INT)).array().tolist() == [-1, 0, 0, 1, 1]


def test_quantized_integers_are_rounded_before_the_graph_widens_them() -> None:
    value = np.array([3], np.uint8)
    assert stored(value, INT, Affine(0.5, 0.0, INT)).cast(DType.int64).array().tolist() == [2]


def test_quantized_floats_are_those_of_the_file_before_the_graph_widens_them() -> None:
    value = np.array([1], np.uint8)
    found = stored(value, FLOAT, Affine(0.1, 0.0, FLOAT)).cast(DType.float64).array()
    assert found.tolist() == [float(np.float32(0.1))]


def test_a_tensor_is_decoded_in_parts_of_whole_elements_however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundler.ir.weight, "_CHUNK", 2)
    value = np.arange(5, dtype=np.uint16)
    weight = stored(value, FLOAT, Affine(2.0, 1.0, FLOAT), 1, 2, 4)
    assert [(part.start, part.size, part.nbytes) for part in weight.parts()] == [(0, 2, 8), (2, 2, 8), (4, 1, 4)]
    assert [len(chunk) for chunk in weight.chunks()] == [8, 8, 4]
    assert weight.array().tolist() == [1, 3, 5, 7, 9]


@pytest.mark.parametrize("chunk", [1, 3, 1 << 20])
@pytest.mark.parametrize("marked", [1, 4, 1 << 10])
def test_a_fingerprint_is_of_the_bytes_however_they_are_read(
    monkeypatch: pytest.MonkeyPatch, chunk: int, marked: int
) -> None:
    monkeypatch.setattr(bundler.ir.weight, "_CHUNK", chunk)
    monkeypatch.setattr(bundler.ir.weight, "_MARKED", marked)
    value = np.arange(5, dtype=np.uint16)
    hashed = hashlib.blake2b(value.tobytes(), digest_size=32)
    assert stored(value, FLOAT, None, 1, 2, 4).fingerprint() == hashed.digest()


@pytest.mark.parametrize(("other", "same"), [([1, 2, 3], True), ([1, 2, 4], True), ([1, 3, 3], False)])
def test_a_mark_is_of_the_first_bytes(monkeypatch: pytest.MonkeyPatch, other: list[int], same: bool) -> None:
    monkeypatch.setattr(bundler.ir.weight, "_MARKED", 2)
    one, another = (stored(np.array(value, np.uint8)) for value in ([1, 2, 3], other))
    assert (one.mark == another.mark) is same


WORDS = [b"", b"a", b"\xff\x00", b"word" * 3]


def words(*sizes: int) -> Weight:
    content = b"??" + b"".join(len(word).to_bytes(4, "little") + word for word in WORDS) + b"??"
    return Weight(DType.string, (2, 2), in_pieces(content, *sizes), 2, len(content) - 4, DType.string)


@pytest.mark.parametrize("sizes", [(), (3,), (7, 1, 1, 1, 1)])
def test_strings_are_bytes_row_by_row(sizes: tuple[int, ...]) -> None:
    assert words(*sizes).strings() == WORDS
    assert words(*sizes).array().tolist() == [WORDS[:2], WORDS[2:]]


def test_an_empty_tensor_of_strings_takes_no_bytes() -> None:
    empty = Weight(DType.string, (0, 3), Group(()), 0, 0, DType.string)
    assert empty.strings() == []
    assert empty.array().shape == (0, 3)


def test_how_many_bytes_strings_take_in_the_output_is_not_known() -> None:
    with pytest.raises(TypeError):
        _ = words().nbytes


BASE = stored(np.array([1, 2], np.uint8), FLOAT, Affine(1.0, 0.0, FLOAT))


@pytest.mark.parametrize(
    "other",
    [
        replace(BASE, dtype=DType.float64),
        replace(BASE, shape=(1, 2)),
        replace(BASE, affine=Affine(2.0, 0.0, FLOAT)),
        replace(BASE, affine=None),
        replace(BASE, stored=DType.int8),
    ],
)
def test_weights_of_another_form_are_never_equal(other: Weight) -> None:
    assert other.form != BASE.form


def test_the_form_is_the_same_wherever_the_bytes_lie() -> None:
    assert replace(BASE, group=in_pieces(b"\0\1\2", 1), offset=1).form == BASE.form
