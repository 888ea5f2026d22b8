"""Cases of creation.json: tensors out of shapes, numbers and chance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from tests.conformance.case import Case, Const, Differs, case

__all__ = ["CASES"]

FLOAT, INT = DType.float32, DType.int32
SHAPES = {"matrix": [2, 3], "vector": [4], "empty": [0, 2]}


def filled() -> Iterator[Case]:
    for name, shape in SHAPES.items():
        yield case("Fill", name, Const(shape), Const(2.5))
        for op, value in (("Ones", 1.0), ("Zeros", 0.0)):
            meaning = [
                new_node("Const", "value", dtype=FLOAT, value=np.array(value, np.float32)),
                new_node("Fill", "y", ["x", "value"], T=FLOAT, index_type=INT),
            ]
            yield case(op, name, Const(shape), T=FLOAT, meaning=meaning)
    yield case("Fill", "int32", Const([3]), Const(7))
    yield case("Fill", "bool", Const([2]), Const(True))
    yield case("Fill", "fed shape and value", [2, 2], 1.5)
    for op, value in (("Ones", 1), ("Zeros", 0)):
        meaning = [
            new_node("Const", "value", dtype=INT, value=np.array(value, np.int32)),
            new_node("Fill", "y", ["x", "value"], T=INT, index_type=INT),
        ]
        yield case(op, "int32", Const([3]), T=INT, meaning=meaning)


def alike() -> Iterator[Case]:
    for op in ("OnesLike", "ZerosLike"):
        yield case(op, "float32", [[1.5, -2.0]])
        yield case(op, "int32", [1, 2, 3])
        yield case(op, "bool", [True, False])


def one_hots() -> Iterator[Case]:
    indices = [0, 2, -1, 1]
    yield case("OneHot", "last axis", indices, Const(3), Const(1.0), Const(0.0), axis=-1)
    yield case("OneHot", "values", indices, Const(3), Const(5.0), Const(-1.0), axis=-1)
    yield case("OneHot", "matrix", [[0, 1], [2, 3]], Const(4), Const(1.0), Const(0.0), axis=-1)
    yield case("OneHot", "int32", indices, Const(3), Const(7), Const(2), axis=-1)
    yield case(
        "OneHot",
        "axis 0",
        indices,
        Const(3),
        Const(1.0),
        Const(0.0),
        axis=0,
        javascript=Differs("the axis is not read"),
    )


def drawn() -> Iterator[Case]:
    """Chance: shape, dtype and range are all there is to compare."""
    shape = Const([20, 5])
    for name, seed in {"no seed": 0, "seed": 7}.items():
        seeds = {"seed": seed, "seed2": seed, "dtype": FLOAT}
        yield case("RandomStandardNormal", name, shape, drawn=(-9, 9), **seeds)
        yield case("TruncatedNormal", name, shape, drawn=(-2, 2), **seeds)
        yield case("RandomUniform", name, shape, drawn=(0, 1), **seeds)
        whole = {"seed": seed, "seed2": seed}
        yield case("RandomUniformInt", name, shape, Const(-3), Const(4), drawn=(-3, 3), **whole)
        logits = Const([[0.0, 1.0, 2.0]])
        yield case("Multinomial", name, logits, Const(10), drawn=(0, 2), output_dtype=DType.int64, **whole)


CASES = [
    *filled(),
    *alike(),
    *one_hots(),
    *drawn(),
    case("LinSpace", "five", Const(0.0), Const(1.0), Const(5)),
    case("LinSpace", "downwards", Const(3.0), Const(-1.0), Const(4)),
    case("LinSpace", "one", Const(3.0), Const(9.0), Const(1)),
    case("Range", "int32", Const(0), Const(10), Const(3)),
    case("Range", "downwards", Const(5), Const(0), Const(-2)),
    case("Range", "float32", Const(0.5), Const(2.5), Const(0.5)),
    case("Range", "fed", 1, 4, 1),
    case("Range", "empty", Const(3), Const(3), Const(1)),
]
