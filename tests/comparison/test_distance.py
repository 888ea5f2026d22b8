"""How far two values are apart, where, and what a value shows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bundler.comparison.distance import blank, distance

NAN, INF = math.nan, math.inf


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("found", "expected", "absolute", "relative", "at"),
    [
        (floats(1, 2), floats(1, 2), 0, 0, (0,)),
        (floats(1, 2.5), floats(1, 2), 0.5, 0.25, (1,)),
        (floats(1, -4.5), floats(1, -4), 0.5, 0.125, (1,)),
        (floats(NAN, 2), floats(NAN, 2), 0, 0, (0,)),
        (floats(INF, 2.5), floats(INF, 2), 0.5, 0.25, (1,)),
        (floats(1, NAN), floats(1, 2), INF, INF, (1,)),
        (floats(1, -INF), floats(1, INF), INF, INF, (1,)),
        (floats(0.5, 0), floats(0, 0), 0.5, 1, (0,)),
        (np.array([[1, 2], [3, 5]]), np.array([[1, 2], [3, 4]]), 1, 0.25, (1, 1)),
        (np.array([True, False]), np.array([True, True]), 1, 1, (1,)),
        (np.array([3 + 4j]), np.array([3 + 0j]), 4, 4 / 3, (0,)),
        (np.array([b"a", b"b"], object), np.array([b"a", b"c"], object), INF, INF, (1,)),
        (np.array([b"a"], object), np.array([b"a"]), 0, 0, (0,)),
        (np.array(2.0), np.array(1.0), 1, 1, ()),
    ],
)
def test_the_largest_difference_and_its_place(
    found: np.ndarray, expected: np.ndarray, absolute: float, relative: float, at: tuple[int, ...]
) -> None:
    measured = distance(found, expected)
    assert (measured.absolute, measured.at, measured.why) == (absolute, at, "")
    assert measured.relative == pytest.approx(relative)


def test_both_values_at_that_place_are_given() -> None:
    measured = distance(np.array([b"x", b"caf\xe9"], object), np.array([b"x", b"tea"], object))
    assert (measured.found, measured.expected) == ("'caf\\\\xe9'", "'tea'")
    assert distance(floats(1, 2.5), floats(1, 2))[3:5] == (2.5, 2.0)


@pytest.mark.parametrize(
    ("found", "expected", "narrow", "why"),
    [
        (np.zeros(2, np.float64), np.zeros(2, np.float32), False, "is float64, not float32"),
        (np.zeros(2, np.float64), np.zeros(2, np.float32), True, ""),
        (np.zeros(2, np.int64), np.zeros(2, np.int32), True, ""),
        (np.zeros(2, np.int64), np.zeros(2, np.float32), True, "is int64, not float32"),
        (np.zeros((2, 1)), np.zeros(2), False, "has shape [2, 1], not [2]"),
        (np.zeros((0, 1)), np.zeros((0, 1)), False, ""),
    ],
)
def test_what_cannot_be_compared_is_infinitely_far(
    found: np.ndarray, expected: np.ndarray, narrow: bool, why: str
) -> None:
    measured = distance(found, expected, narrow=narrow)
    assert measured.why == why
    assert measured.relative == (math.inf if why else 0)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (np.zeros((0, 4)), "no elements"),
        (floats(0, 0), "zeros only"),
        (np.array([False, False]), "zeros only"),
        (floats(NAN, INF), "no finite values"),
        (floats(NAN, 0), "zeros only"),
        (floats(7, 7), "one value only"),
        (floats(7), ""),
        (floats(7, 8), ""),
        (np.array([b"", b""], object), ""),
    ],
)
def test_values_that_show_nothing_of_a_computation(value: np.ndarray, why: str) -> None:
    assert blank(value) == why
