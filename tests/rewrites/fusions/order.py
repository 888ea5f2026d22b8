"""What the arithmetic optimizer moves, replaces or merges, whether oneDNN is on or not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bundler.ir.nodes import Node
from tests.conformance.case import Const
from tests.rewrites.fusions.graphs import FLOAT, INT, Given, Trap, const, conv, f, new_node, trap, wave

__all__ = ["TRAPS"]

TAIL = [f("Neg", "n", "x"), f("Neg", "m", "n")]
"""Graphs of fewer than four nodes are left alone by TensorFlow's optimizers; `m` is x again."""


def transpose(name: str, x: str, order: str) -> Node:
    return f("Transpose", name, x, order, Tperm=INT)


def extremes() -> Iterator[Trap]:
    rows = {"Floor": [[0.2, 0.7, 0.1]], "Relu": [[-3.0, -2, -1]], "Sigmoid": [[20.0, 30, 40]], "Tanh": [[10.0, 20, 30]]}
    for op, row in rows.items():
        given: Given = {"x": np.array(row, np.float32), "axis": const(1)}
        nodes = [f(op, "g", "m"), new_node("ArgMax", "y", ["g", "axis"], T=FLOAT, Tidx=INT, output_type=INT)]
        yield trap("ArgMax of a growing function", op, "wrong", "keep_ties_of_extremes", given, [*TAIL, *nodes])
    for op in ("Floor", "Relu", "Sigmoid", "Neg"):
        given = {"x": wave(3, 5), "axis": const([1])}
        nodes = [f(op, "g", "m"), f("Max", "y", "g", "axis", Tidx=INT, keep_dims=False)]
        yield trap("Max of a growing function", op, "right", "", given, [*TAIL, *nodes])


def powers() -> Iterator[Trap]:
    for exponent in (0.0, 1.0, 2.0, 3.0, 0.5, -0.5, -1.0):
        base = np.abs(wave(5)) + np.float32(0.1)
        vector: Given = {"x": base, "p": const([[exponent] * 5] * 2)}
        scalar: Given = {"x": base, "p": const(exponent)}
        found = "right" if exponent in (0, 1) else "wrong"
        rule = "" if found == "right" else "keep_shape_of_power"
        power = [*TAIL, f("Pow", "y", "m", "p")]
        yield trap("x ** p", f"p = {exponent}", "right", "", scalar, power)
        yield trap("x ** p", f"p is wider than x, all {exponent}", found, rule, vector, power)


def arithmetic() -> Iterator[Trap]:
    def row(pattern: str, graph: str, given: Given, *nodes: Node) -> Trap:
        return trap(pattern, graph, "right", "", given, [*TAIL, *nodes])

    parts = f("Split", "parts", "zero", "m", num_split=2)
    two: Given = {"x": wave(4, 5), "zero": const(0)}
    yield row("x * x as Square", "two outputs of one node", two, parts, f("Mul", "y", "parts", "parts:1"))
    yield row(
        "x * a + x * b",
        "factors of different shapes",
        {"x": wave(3, 5), "a": wave(5), "b": wave(3, 1)},
        f("Mul", "p", "m", "a"),
        f("Mul", "q", "m", "b"),
        f("AddV2", "y", "p", "q"),
    )
    yield row(
        "x * ones as Tile",
        "more dimensions than x",
        {"x": wave(3, 1), "o": const(np.ones((2, 3, 4), np.float32))},
        f("Mul", "y", "m", "o"),
    )
    yield row(
        "x + zeros as x",
        "more dimensions than x",
        {"x": wave(3), "o": const(np.zeros((2, 3), np.float32))},
        f("AddV2", "y", "m", "o"),
    )
    yield row(
        "a / sqrt(b) as a * rsqrt(b)",
        "b = 0",
        {"x": np.array([0.0, 4.0], np.float32), "a": const([1.0, 2.0])},
        f("Sqrt", "s", "m"),
        f("RealDiv", "y", "a", "s"),
    )
    yield row(
        "exp(x) - 1 as Expm1",
        "1 of more dimensions than x",
        {"x": wave(5), "o": const(np.ones((2, 5), np.float32))},
        f("Exp", "e", "m"),
        f("Sub", "y", "e", "o"),
    )
    yield row(
        "log(1 + x) as Log1p",
        "2 in place of 1",
        {"x": np.abs(wave(5)), "o": const(2.0)},
        f("AddV2", "s", "m", "o"),
        f("Log", "y", "s"),
    )
    slopes = f("LeakyRelu", "a", "parts", alpha=0.1), f("LeakyRelu", "b", "parts:1", alpha=0.4)
    joined = new_node("ConcatV2", "y", ["a", "b", "zero"], T=FLOAT, Tidx=INT, N=2)
    yield row("functions moved over Split and Concat", "LeakyRelu of two slopes", two, parts, *slopes, joined)
    for graph, shape in (("one number", ()), ("[C]", (8,)), ("[1, H, W, 1]", (1, 6, 7, 1))):
        given: Given = {"x": wave(2, 6, 7, 3), "w": const(wave(3, 3, 3, 8)), "k": const(np.abs(wave(*shape)) + 1)}
        yield row("convolution * constant", graph, given, conv("c", "m", "w"), f("RealDiv", "y", "c", "k"))


def transposes() -> Iterator[Trap]:
    for first, last, graph in (
        ([0, 2, 3, 4, 1], [0, 4, 1, 2, 3], "to the last channel and back"),
        ([0, 2, 3, 4, 1], [0, 1, 4, 2, 3], "to the last channel and elsewhere"),
        ([0, 3, 4, 2, 1], [0, 4, 1, 2, 3], "from elsewhere"),
    ):
        shape = [0] * 5
        for at, size in zip(first, (1, 3, 4, 5, 2)):
            shape[at] = size
        orders: dict[str, Const] = {"p": const(first), "q": const(last)}
        given: Given = {"x": wave(*shape), "w": const(wave(2, 2, 2, 2, 4)), **orders}
        volume = conv("c", "t", "w", "Conv3D", data_format="NDHWC")
        pattern = "Transpose, Conv3D, Transpose"
        yield trap(pattern, graph, "right", "", given, [transpose("t", "x", "p"), volume, transpose("y", "c", "q")])
    for order, graph in (([0, 2, 1], "rows and columns"), ([1, 0, 2], "batch and rows")):
        given = {"x": wave(3, 3, 3), "z": wave(3, 3, 3), "p": const(order)}
        product = f("BatchMatMulV2", "y", "t", "z", adj_x=False, adj_y=False)
        yield trap("Transpose, BatchMatMulV2", graph, "right", "", given, [transpose("t", "x", "p"), product])


TRAPS = [*extremes(), *powers(), *arithmetic(), *transposes()]
