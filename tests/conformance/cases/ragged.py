"""Cases of ragged.json: rows of unequal length, as values and row splits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.conformance.case import Cannot, Case, Const, case

__all__ = ["CASES"]

UNKNOWN = Cannot("its executor of ragged ops is not connected")


def int64(*values: object) -> np.ndarray:
    return np.array(values, np.int64)


def gathered() -> Iterator[Case]:
    for name, splits, values in (
        ("float32", [0, 2, 2, 5], [0.1, 0.2, 0.3, 0.4, 0.5]),
        ("int64 splits", int64(0, 2, 2, 5), [1, 2, 3, 4, 5]),
        ("matrix values", [0, 1, 3], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
    ):
        ranks = {"PARAMS_RAGGED_RANK": 1, "OUTPUT_RAGGED_RANK": 1}
        yield case("RaggedGather", name, splits, values, [1, 0, 1], **ranks, javascript=UNKNOWN)
    ranks = {"PARAMS_RAGGED_RANK": 1, "OUTPUT_RAGGED_RANK": 2}
    yield case("RaggedGather", "matrix of indices", [0, 2, 2], [1.0, 2.0], [[1, 0]], **ranks, javascript=UNKNOWN)
    ranks = {"PARAMS_RAGGED_RANK": 2, "OUTPUT_RAGGED_RANK": 2}
    yield case("RaggedGather", "two ranks", [0, 2, 3], [0, 1, 3, 4], [1, 2, 3, 4], [1], **ranks, javascript=UNKNOWN)


def ranges() -> Iterator[Case]:
    for name, starts, limits, deltas in (
        ("int32", [0, 5, 8], [3, 5, 12], [1, 1, 2]),
        ("float32", [0.0, 1.0], [1.0, 2.5], [0.25, 0.5]),
        ("scalar delta", [0, 5], [8, 2], -1),
        ("int64", int64(0, 2), int64(3, 4), int64(1, 1)),
    ):
        yield case("RaggedRange", name, starts, limits, deltas, javascript=UNKNOWN)


def dense() -> Iterator[Case]:
    for name, shape, values, default, rows, kinds in (
        ("splits", [-1, -1], [1.0, 2.0, 3.0], 0.0, [[0, 2, 2, 3]], ["ROW_SPLITS"]),
        ("cut", [2, 1], [1.0, 2.0, 3.0], 0.0, [[0, 2, 2, 3]], ["ROW_SPLITS"]),
        ("filled up", [4, 4], [1, 2, 3], 9, [[0, 2, 2, 3]], ["ROW_SPLITS"]),
        ("row ids", [4, 4], [0.1, 0.2, 0.3], 1.5, [4, [0, 0, 2]], ["FIRST_DIM_SIZE", "VALUE_ROWIDS"]),
    ):
        attrs = {"row_partition_types": kinds}
        yield case("RaggedTensorToTensor", name, Const(shape), values, default, *rows, **attrs, javascript=UNKNOWN)


CASES = [*gathered(), *ranges(), *dense()]
