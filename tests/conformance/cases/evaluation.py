"""Cases of evaluation.json: order and uniqueness."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bundler.ir.dtypes import DType
from tests.conformance.case import Case, Const, Differs, case

__all__ = ["CASES"]

ROWS = [[5.0, 1.0, 4.0, 2.0], [-1.0, 7.0, 0.5, 3.0]]
SORTED, SOUGHT = [[1.0, 3.0, 3.0, 5.0], [0.0, 2.0, 4.0, 6.0]], [[0.0, 3.0, 9.0], [2.0, 3.0, 6.0]]


def bounds() -> Iterator[Case]:
    for op in ("LowerBound", "UpperBound"):
        yield case(op, "float32", SORTED, SOUGHT, out_type=DType.int32)
        yield case(op, "int32", [[1, 3, 3, 5]], [[0, 3, 9]], out_type=DType.int32)


def tops() -> Iterator[Case]:
    yield case("TopKV2", "one", ROWS, Const(1), sorted=True)
    yield case("TopKV2", "three", ROWS, Const(3), sorted=True)
    yield case("TopKV2", "vector", ROWS[0], Const(2), sorted=True)
    yield case("TopKV2", "int32", [3, 9, 9, 1], Const(2), sorted=True)
    yield case("TopKV2", "all of a cube", np.sin(np.arange(12, dtype=np.float32)).reshape(2, 2, 3), Const(3))
    yield case("TopKV2", "fed k", ROWS, 2, sorted=True)
    yield case(
        "TopKV2", "unsorted", [5.0, 1.0, 4.0, 2.0, 6.0], Const(3), sorted=False, javascript=Differs("always sorted")
    )


def uniques() -> Iterator[Case]:
    yield case("Unique", "float32", [3.0, 1.0, 3.0, 2.0, 1.0], out_idx=DType.int32)
    yield case("Unique", "int32", [4, 4, 4], out_idx=DType.int32)
    yield case("UniqueV2", "vector", [3, 1, 3, 2], Const([0]), out_idx=DType.int32)
    yield case("UniqueV2", "rows", [[1, 2], [3, 4], [1, 2]], Const([0]), out_idx=DType.int32)
    yield case("UniqueV2", "columns", [[1.0, 1.0, 2.0], [3.0, 3.0, 4.0]], Const([1]), out_idx=DType.int32)


CASES = [*bounds(), *tops(), *uniques()]
