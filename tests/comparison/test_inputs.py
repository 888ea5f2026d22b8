"""Random inputs fit a signature, and are the same in every run."""

from __future__ import annotations

import numpy as np
import pytest

from bundler.comparison.inputs import Feeds, drawn, perturbed
from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.model import Signature, TensorSpec
from bundler.ir.nodes import Shape, Tensor
from bundler.manifest import InputSpec


def signature(**inputs: tuple[DType, Shape | None]) -> Signature:
    return Signature({name: TensorSpec(Tensor(name), *spec) for name, spec in inputs.items()}, {})


def first(given: Signature, known: dict[str, Shape] | None = None, **wanted: InputSpec) -> Feeds:
    return next(drawn(given, known or {}, wanted))


IMAGE = signature(image=(DType.float32, (None, 8, 8, 3)))


@pytest.mark.parametrize(
    ("dtype", "shape", "low", "high"),
    [
        (DType.float32, (1, 5), 0, 1),
        (DType.float64, (1, 5), 0, 1),
        (DType.float16, (1, 5), 0, 1),
        (DType.int32, (1, 5), 0, 1),
        (DType.int64, (64,), 0, 1),
        (DType.uint8, (64,), 2, 255),
        (DType.int32, (1, 8, 8, 3), 2, 255),
        (DType.bool, (64,), 0, 1),
    ],
)
def test_numbers_are_of_the_inputs_dtype_and_of_a_range_that_suits_it(
    dtype: DType, shape: tuple[int, ...], low: float, high: float
) -> None:
    value = first(signature(x=(dtype, shape))).values["x"]
    assert (value.dtype, value.shape) == (dtype.numpy, shape)
    assert 0 <= value.min() <= value.max() <= high
    assert value.max() >= low


def test_texts_and_complex_numbers() -> None:
    values = first(signature(x=(DType.string, (16,)), z=(DType.complex64, (4,)))).values
    assert {type(text) for text in values["x"]} == {bytes}
    assert np.iscomplex(values["z"]).all()


def test_open_sizes_are_four_rows_and_sixty_four_or_one_row_if_it_is_large() -> None:
    tables = [feeds.values["x"].shape for feeds in drawn(signature(x=(DType.int32, (None, None))), {}, {})]
    assert tables == [(4, 64), (1, 64), (1, 16), (1, 224), (1, 8), (1, 1), (1, 2), (64, 64)]
    large = signature(x=(DType.int32, (None, None, None, 3)))
    assert first(large).values["x"].shape == (1, 64, 64, 3)
    assert first(large, {"x": (None, 9, None, 3)}).values["x"].shape == (4, 9, 64, 3)
    assert first(signature(x=(DType.int32, None))).values["x"].shape == (4,)
    assert first(signature(x=(DType.int32, ()))).values["x"].shape == ()


def test_floats_are_tried_in_three_ranges() -> None:
    origins = [feeds.origin for feeds in drawn(signature(x=(DType.float32, (2, 3))), {}, {})]
    assert origins == [
        "random: x[2, 3] from 0 to 1",
        "random: x[2, 3] from -1 to 1",
        "random: x[2, 3] from 0 to 255",
    ]


def test_a_check_chooses_ranges_shapes_and_values() -> None:
    given = signature(image=(DType.float32, (None, None)), kind=(DType.string, (6,)), count=(DType.int64, (2,)))
    feeds = first(
        given,
        image=InputSpec(range=(5, 6), shape=(2, 3)),
        kind=InputSpec(values=("cat", "dog")),
        count=InputSpec(range=(7, 7)),
    )
    assert feeds.origin == "random: image[2, 3] from 5 to 6, kind[6] of 2 values, count[2] from 7 to 7"
    assert feeds.values["image"].min() >= 5
    assert set(feeds.values["kind"]) == {b"cat", b"dog"}
    assert feeds.values["count"].tolist() == [7, 7]


def test_two_inputs_differ_and_two_runs_do_not() -> None:
    given = signature(a=(DType.float32, (9,)), b=(DType.float32, (9,)))
    one, other = first(given).values, first(given).values
    assert not np.array_equal(one["a"], one["b"])
    np.testing.assert_array_equal(one["a"], other["a"])


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"imgae": InputSpec()}, "the signature has no such input (found 'imgae', expected image)"),
        (
            {"image": InputSpec(shape=(1, 8, 9, 3))},
            "input 'image': the input has another shape (found (1, 8, 9, 3), expected (None, 8, 8, 3))",
        ),
        (
            {"image": InputSpec(values=("a",))},
            "input 'image': the values are texts, and the input takes numbers (expected float32)",
        ),
    ],
)
def test_what_does_not_fit_the_signature_is_an_error(wanted: dict[str, InputSpec], said: str) -> None:
    with pytest.raises(BundlerError) as caught:
        first(IMAGE, **wanted)
    assert str(caught.value) == said


@pytest.mark.parametrize(("dtype", "low", "high"), [(DType.int32, 0.2, 0.8), (DType.uint8, -1, 5)])
def test_a_range_without_a_value_of_the_dtype_is_an_error(dtype: DType, low: float, high: float) -> None:
    with pytest.raises(BundlerError, match=f"no {dtype} is in this range"):
        first(signature(x=(dtype, (2,))), x=InputSpec(range=(low, high)))


def test_a_dtype_that_cannot_be_drawn_is_an_error() -> None:
    with pytest.raises(BundlerError, match="values of this dtype cannot be drawn"):
        first(signature(x=(DType.resource, ())))


def test_floats_are_perturbed_and_other_values_stay() -> None:
    feeds = {"x": np.array([1, -4], np.float32), "n": np.array([1, 2])}
    moved = perturbed(feeds, 0.25)
    assert np.abs(moved["x"] - feeds["x"]).tolist() == [1, 1]
    assert moved["n"] is feeds["n"]
