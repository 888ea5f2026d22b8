"""Cases of reduction.json: many numbers become fewer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from bundler.ir.dtypes import DType
from tests.conformance.case import Cannot, Case, Const, Differs, case

__all__ = ["CASES"]

CUBE = np.sin(np.arange(24, dtype=np.float32)).reshape(2, 3, 4)
WHOLE = (np.arange(24, dtype=np.int32) * 7 % 11 - 5).reshape(2, 3, 4)
BITS = WHOLE > 0
NEGATIVE = Cannot("a negative axis gives a tensor without a shape")
AXES: dict[str, list[int] | int] = {"axis 0": [0], "axis -1": [-1], "axes 0 2": [0, 2], "all": [0, 1, 2], "scalar": 1}


def reductions() -> Iterator[Case]:
    for op, (name, axis) in product(("Max", "Mean", "Min", "Sum", "Prod"), AXES.items()):
        yield case(op, name, CUBE, Const(axis), keep_dims=False, tolerance=1e-4)
    for op, (name, axis) in product(("All", "Any"), AXES.items()):
        yield case(op, name, BITS, Const(axis), keep_dims=False)
    for op in ("Max", "Mean", "Min", "Sum", "Prod"):
        yield case(op, "keep_dims", CUBE, Const([1, 2]), keep_dims=True, tolerance=1e-4)
    for op in ("All", "Any"):
        yield case(op, "keep_dims", BITS, Const([1, 2]), keep_dims=True)
    for op in ("Max", "Min", "Sum", "Prod"):
        yield case(op, "int32", WHOLE, Const([1]), keep_dims=False)
        yield case(op, "no axes", CUBE, Const([], "int32"), keep_dims=False)


def arguments() -> Iterator[Case]:
    for op in ("ArgMax", "ArgMin"):
        for axis in (0, 1, -1):
            yield case(op, f"axis {axis}", CUBE, Const(axis), output_type=DType.int64)
        yield case(op, "int32 result", CUBE, Const(2), output_type=DType.int32)
        yield case(op, "int32", WHOLE, Const(1), output_type=DType.int64)
        yield case(op, "ties", [[3.0, 1.0, 3.0, 1.0]], Const(1), output_type=DType.int64)


def cumulations() -> Iterator[Case]:
    for op, exclusive, reverse in product(("Cumsum", "Cumprod"), (False, True), (False, True)):
        name = " ".join(["exclusive"] * exclusive + ["reverse"] * reverse) or "plain"
        yield case(op, name, CUBE, Const(1), exclusive=exclusive, reverse=reverse, tolerance=1e-4)
    for op in ("Cumsum", "Cumprod"):
        yield case(op, "axis 2", CUBE, Const(2), exclusive=False, reverse=False, tolerance=1e-4)
        yield case(op, "axis -1", CUBE, Const(-1), exclusive=False, reverse=False, tolerance=1e-4, javascript=NEGATIVE)
        yield case(op, "int32", WHOLE, Const(0), exclusive=False, reverse=False)


CASES = [
    *reductions(),
    case("Mean", "no axes", CUBE, Const([], "int32"), keep_dims=False),
    case("Mean", "int32", [1, 2, 6, 6], Const([0]), keep_dims=False, javascript=Differs("the mean is a fraction")),
    *arguments(),
    *cumulations(),
    case("Bincount", "counts", [1, 1, 2, 5], Const(6), Const([], "float32")),
    case("Bincount", "weights", [1, 1, 2, 5], Const(6), Const([0.5, 0.25, 1.0, -2.0])),
    case("Bincount", "beyond the size", [1, 1, 9], Const(3), Const([], "float32")),
    case("DenseBincount", "counts", [1, 1, 2, 5], Const(6), Const([], "float32"), binary_output=False),
    case("DenseBincount", "weights", [1, 1, 2], Const(4), Const([0.5, 0.25, 1.0]), binary_output=False),
    case("DenseBincount", "rows", [[1, 1, 2], [0, 0, 0]], Const(4), Const([], "float32"), binary_output=False),
    case(
        "DenseBincount",
        "binary",
        [1, 1, 2],
        Const(4),
        Const([], "float32"),
        binary_output=True,
        javascript=Differs("binary_output is not read"),
    ),
]
