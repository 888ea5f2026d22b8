"""Cases of dynamic.json: results whose size depends on values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bundler.ir.dtypes import DType
from tests.conformance.case import Cannot, Case, Const, Differs, case

__all__ = ["CASES"]

BOXES = np.array([[0, left, 1, left + 1] for left in (0, 0.1, -0.1, 10, 10.1, 100)], np.float32)
SCORES = np.array([0.9, 0.75, 0.6, 0.95, 0.5, 0.3], np.float32)
HARD = Differs("soft suppression drops what overlaps beyond the threshold")
EQUAL = Differs("a box that overlaps by exactly the threshold is dropped; TensorFlow keeps it")
ZERO = Differs("with threshold 0 only the first box is kept, even if the others do not touch it")
FLIPPED = BOXES[:, [2, 3, 0, 1]]


def suppressed() -> Iterator[Case]:
    for version in (2, 3, 4, 5):
        op = f"NonMaxSuppressionV{version}"
        rest = (Const(0.4),) if version > 2 else ()
        sigma = (Const(0.0),) if version > 4 else ()
        outputs = ("y", "y:1") if version > 4 else None
        for name, boxes, most, overlap in (
            ("three", BOXES, 3, 0.5),
            ("two", BOXES, 2, 0.5),
            ("all", BOXES, 30, 0.5),
            ("no overlap", BOXES, 6, 0.01),
            ("flipped corners", FLIPPED, 3, 0.5),
            ("none", BOXES, 0, 0.5),
        ):
            yield case(op, name, boxes, SCORES, Const(most), Const(overlap), *rest, *sigma, outputs=outputs)
        yield case(op, "fed", BOXES, SCORES, 3, 0.5, *rest, *sigma, outputs=outputs)
        half = np.array([[0, 0, 1, 2], [0, 0, 1, 1], [5, 5, 6, 6]], np.float32)
        given = (half, np.array([0.9, 0.8, 0.7], np.float32), Const(3))
        yield case(op, "overlap at the threshold", *given, Const(0.5), *rest, *sigma, outputs=outputs, javascript=EQUAL)
        yield case(op, "threshold 0", *given, Const(0.0), *rest, *sigma, outputs=outputs, javascript=ZERO)
    for most in (2, 5):
        limits = (Const(most), Const(0.5), Const(0.0))
        yield case("NonMaxSuppressionV4", f"padded to {most}", BOXES, SCORES, *limits, pad_to_max_output_size=True)
    soft = (BOXES, SCORES, Const(5), Const(0.5), Const(0.0), Const(0.5))
    yield case("NonMaxSuppressionV5", "soft", *soft, outputs=("y", "y:1"), javascript=HARD)
    yield case("NonMaxSuppressionV5", "soft two", *soft[:2], Const(2), *soft[3:], outputs=("y", "y:1"))
    yield case("NonMaxSuppressionV5", "valid outputs", *soft, outputs=("y:2",), javascript=Cannot("no third output"))


def places() -> Iterator[Case]:
    for name, values in (
        ("bool", np.array([[True, False], [False, True]])),
        ("float32", np.array([0.0, 1.5, -2.0], np.float32)),
        ("int32", np.array([[[0, 3], [1, 0]]], np.int32)),
        ("nothing", np.zeros((2, 2), bool)),
    ):
        yield case("Where", name, values)
    yield case("Where", "weight", Const([[0, 5, 0, 7]]))


def left() -> Iterator[Case]:
    for name, one, other in (
        ("int32", [1, 2, 3, 4, 5, 6], [1, 3, 5]),
        ("float32", [1.5, 2.0, 2.0, 1.5], [2.0]),
        ("repeated", [4, 4, 1, 4], [1]),
        ("nothing", [1, 2], [2, 1]),
    ):
        yield case("ListDiff", name, one, other, out_idx=DType.int32)
    yield case("ListDiff", "int64 indices", [3, 1], [1], out_idx=DType.int64)


CASES = [*suppressed(), *places(), *left()]
