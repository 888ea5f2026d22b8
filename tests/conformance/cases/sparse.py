"""Cases of sparse.json: tensors as lists of places and values, and sums over segments."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.conformance.case import Case, Const, case

__all__ = ["CASES"]

ROWS = np.array([[1, 2, 3, 4], [-1, -2, -3, -4], [6, 7, 8, 9]], np.float32)


def int64(*values: object) -> np.ndarray:
    return np.array(values, np.int64)


def filled() -> Iterator[Case]:
    places = int64([0, 0], [1, 0], [1, 3], [1, 4], [3, 2], [3, 3])
    for name, values, default in (
        ("float32", [0.0, 10.0, 13.0, 14.0, 32.0, 33.0], -1.0),
        ("int32", [0, 10, 13, 14, 32, 33], -1),
    ):
        yield case("SparseFillEmptyRows", name, places, values, int64(5, 6), default)
    yield case("SparseFillEmptyRows", "full", int64([0, 1], [1, 0]), [1.0, 2.0], int64(2, 2), -1.0)
    yield case("SparseFillEmptyRows", "weights", Const(places), [1.0] * 6, Const([5, 6], "int64"), Const(9.0))


def reshaped() -> Iterator[Case]:
    places = int64([0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 2, 3])
    for name, shape in (("matrix", [9, 4]), ("the rest", [4, -1]), ("vector", [36]), ("more", [2, 3, 3, 2])):
        yield case("SparseReshape", name, places, int64(2, 3, 6), Const(shape, "int64"))
    yield case("SparseReshape", "fed", places, int64(2, 3, 6), int64(6, 6))


def segments() -> Iterator[Case]:
    for op in ("SparseSegmentSum", "SparseSegmentMean"):
        for name, indices, ids in (
            ("one segment", [0, 1], [0, 0]),
            ("two segments", [0, 1, 2], [0, 0, 1]),
            ("a gap", [0, 2, 1], [0, 2, 2]),
            ("a row twice", [2, 2, 0], [0, 0, 1]),
        ):
            yield case(op, name, ROWS, indices, ids, tolerance=1e-4)
        yield case(op, "int64 indices", ROWS, int64(0, 1), [0, 1], tolerance=1e-4)
        yield case(op, "int64 ids", ROWS, [0, 1], int64(0, 1), tolerance=1e-4)
        yield case(op, "weights", Const(ROWS), Const([0, 2]), Const([0, 0]), tolerance=1e-4)
    yield case("SparseSegmentSum", "int32", ROWS.astype(np.int32), [0, 1, 2], [0, 0, 1])


CASES = [*filled(), *reshaped(), *segments()]
