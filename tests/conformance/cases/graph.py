"""Cases of graph.json: sources, ops that pass a tensor on, and ops that give its size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, new_node, shape_proto
from tests.conformance.case import Case, Const, Differs, array, case, dtype_of

__all__ = ["CASES"]

VALUES = {
    name: array(value)
    for name, value in {
        "float32": [[1.5, -2.0]],
        "int32": [3, -4],
        "bool": [[True], [False]],
        "string": ["a", "äö", ""],
        "complex64": [1 + 2j],
        "scalar": 2.5,
        "empty": np.zeros((0, 2), np.float32),
    }.items()
}
FLOATS = VALUES["float32"]
NO_INT = Differs("float32 in place of int32")


def identity(name: str = "y", *inputs: str, dtype: DType = DType.float32) -> Node:
    return new_node("Identity", name, inputs or ["x"], T=dtype)


def sources() -> Iterator[Case]:
    for name, value in VALUES.items():
        read = [identity(dtype=dtype_of(value))]
        yield case("Placeholder", name, value, nodes=read)
        yield case("Const", name, Const(value), nodes=read)
        yield case("PlaceholderWithDefault", name, Const(value), shape=shape_proto(value.shape), dtype=dtype_of(value))
    yield case("Placeholder", "unknown sizes", FLOATS, nodes=[identity()], dims={"x": (None, None)})
    yield case("Placeholder", "unknown rank", FLOATS, nodes=[identity()], dims={"x": None})
    yield case("PlaceholderWithDefault", "unknown rank", Const([1.0, 2.0]), shape=shape_proto(None))
    wide = [new_node("Cast", "y", ["x"], SrcT=DType.int64, DstT=DType.float32)]
    yield case("Const", "int64", Const([1, 2], "int64"), nodes=wide)


def passed_on() -> Iterator[Case]:
    for op in ("Identity", "Snapshot", "StopGradient"):
        for name, value in VALUES.items():
            if (op, name) != ("Snapshot", "string"):  # TensorFlow has no kernel
                yield case(op, name, value)
    yield case("IdentityN", "one", FLOATS)
    yield case("IdentityN", "many kinds", *VALUES.values())
    yield case("NoOp", "waited for", FLOATS, nodes=[new_node("NoOp", "wait", ["^x"]), identity("y", "x", "^wait")])
    yield case("NoOp", "alone", FLOATS, nodes=[new_node("NoOp", "wait"), identity("y", "x", "^wait")])
    for name, data in (("one", [[7]]), ("two", [[1, 2], ["a"]])):
        yield case("Print", name, FLOATS, *data, message="told", first_n=-1, summarize=2, meaning=[identity()])
    for bits in (8, 4):
        same = {"meaning": [identity()]}
        yield case("FakeQuantWithMinMaxVars", f"{bits} bits", [0.1, 3.3, -9.0], -1.0, Const(1.0), num_bits=bits, **same)


def measured() -> Iterator[Case]:
    for op in ("Rank", "Size", "Shape"):
        for name, value in VALUES.items():
            yield case(op, name, value)
    for op in ("Size", "Shape"):
        yield case(op, "int64", FLOATS, out_type=DType.int64)
    yield case("ShapeN", "two", FLOATS, [3.0], javascript=NO_INT)
    yield case("ShapeN", "int64", FLOATS, out_type=DType.int64, javascript=NO_INT)


CASES = [*sources(), *passed_on(), *measured()]
