"""Activations: GELU, hard-swish, swish, Mish, LeakyRelu, alone and behind convolutions and products."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bundler.ir.nodes import Node
from tests.conformance.case import Const
from tests.rewrites.fusions.graphs import FLOAT, Given, Trap, const, conv, f, matmul, new_node, trap, wave

__all__ = ["TRAPS"]

DENSE: Given = {"x": wave(4, 6), "w": const(wave(6, 8) * 0.3), "b": const(wave(8))}
IMAGE: Given = {"x": wave(2, 6, 7, 3), "w": const(wave(3, 3, 3, 8) * 0.3), "b": const(wave(8))}
VOLUME: Given = {"x": wave(1, 3, 4, 5, 2), "w": const(wave(2, 2, 2, 2, 8) * 0.3), "b": const(wave(8))}
BIASED = f("BiasAdd", "c", "product", "b")
MATMUL = [matmul("product", "x", "w"), BIASED]
CONV = [conv("product", "x", "w"), BIASED]
CONV3D = [conv("product", "x", "w", "Conv3D", data_format="NDHWC"), BIASED]
HALF_ROOT = float(np.float16(0.5**0.5))


def gelus() -> Iterator[Trap]:
    def row(graph: str, found: str, *, k: float = 0.5**0.5, one: float = 1, half: float = 0.5, op: str = "Mul") -> Trap:
        numbers = {"k": const(k), "one": const(one, "float32"), "half": const(half)}
        body = [
            f(op, "ck", "c", "k"),
            f("Erf", "erf", "ck"),
            f("AddV2", "sum", "erf", "one"),
            f("Mul", "ch", "c", "half"),
            f("Mul", "y", "ch", "sum"),
        ]
        rule = "" if found == "right" else "keep_erf_out_of_gelu"
        return trap("MatMul, BiasAdd, GELU", graph, found, rule, {**DENSE, **numbers}, [*MATMUL, *body])

    yield row("as it should be", "right")
    yield row("1/sqrt(2) of float16", "wrong", k=HALF_ROOT)
    yield row("divided by sqrt(2) of float16", "wrong", k=float(np.float16(2**0.5)), op="RealDiv")
    yield row("0.7 for 1/sqrt(2)", "wrong", k=0.7)
    yield row("1.009 for 1", "wrong", one=1.009)
    yield row("0.495 for 0.5", "wrong", half=0.495)
    yield row("0.6 for 0.5", "right", half=0.6)
    for graph, slope, cubic in (("tanh", 0.79788456, 0.044715), ("tanh, constants of float16", 0.79785156, 0.044708)):
        numbers = {"k": const(slope), "a": const(cubic), "one": const(1.0), "half": const(0.5), "three": const(3.0)}
        body = [
            f("Pow", "cube", "c", "three"),
            f("Mul", "small", "a", "cube"),
            f("AddV2", "inner", "c", "small"),
            f("Mul", "scaled", "k", "inner"),
            f("Tanh", "tanh", "scaled"),
            f("AddV2", "sum", "tanh", "one"),
            f("Mul", "ch", "c", "half"),
            f("Mul", "y", "ch", "sum"),
        ]
        yield trap("MatMul, BiasAdd, GELU", graph, "right", "", {**DENSE, **numbers}, [*MATMUL, *body])


def hard_swishes() -> Iterator[Trap]:
    def row(graph: str, found: str, last: list[Node], three: float = 3, sixth: float = 1 / 6) -> Trap:
        numbers = {"three": const(three, "float32"), "k": const(sixth, "float32")}
        nodes = [*CONV, f("AddV2", "sum", "c", "three"), f("Relu6", "r", "sum"), *last]
        rule = "" if found == "right" else "keep_relu6_out_of_hard_swish"
        return trap("convolution, BiasAdd, hard-swish", graph, found, rule, {**IMAGE, **numbers}, nodes)

    product = [f("Mul", "cr", "c", "r"), f("Mul", "y", "cr", "k")]
    other = [f("Mul", "ck", "c", "k"), f("Mul", "y", "ck", "r")]
    divided = [f("Mul", "cr", "c", "r"), f("RealDiv", "y", "cr", "k")]
    yield row("as it should be", "right", product)
    yield row("1/6 of float16", "wrong", product, sixth=0.16662598)
    yield row("1/6 of float16, multiplied first", "wrong", other, sixth=0.16662598)
    yield row("divided by 6", "right", divided, sixth=6)
    yield row("divided by 6.1", "wrong", divided, sixth=6.1)
    yield row("3.005 for 3", "wrong", product, three=3.005)


def products() -> Iterator[Trap]:
    """Products of x with a function of x."""
    swish = [f("Sigmoid", "s", "x"), f("Mul", "y", "x", "s")]
    mish = [f("Softplus", "p", "x"), f("Tanh", "t", "p"), f("Mul", "y", "x", "t")]
    parts = f("Split", "parts", "zero", "x", num_split=2)
    two: Given = {"x": wave(4, 5), "zero": const(0)}
    special: Given = {"x": np.array([np.inf, -90, 90, 0, -0.0, 1e-30], np.float32)}
    yield trap("swish", "infinite, large and small numbers", "right", "", special, swish)
    yield trap("swish", "rank 6", "right", "", {"x": wave(2, 2, 2, 2, 2, 2)}, swish)
    yield trap("swish", "two outputs of one node", "right", "", two, [
        parts, f("Sigmoid", "s", "parts:1"), f("Mul", "y", "parts", "s"),
    ])  # fmt: skip
    yield trap("swish", "operands of different shapes", "right", "", {"x": wave(3, 5), "z": wave(2, 3, 5)}, [
        f("Sigmoid", "s", "x"), f("Mul", "y", "z", "s"),
    ])  # fmt: skip
    yield trap("Mish", "infinite, large and small numbers", "right", "", special, mish)
    yield trap("Mish", "two outputs of one node", "right", "", two, [
        parts, f("Softplus", "p", "parts:1"), f("Tanh", "t", "p"), f("Mul", "y", "parts", "t"),
    ])  # fmt: skip


def maxima() -> Iterator[Trap]:
    def row(graph: str, found: str, slope: float | np.ndarray, *, x: str = "x", other: str = "x") -> Trap:
        given: Given = {"x": wave(4, 5), "zero": const(0), "a": const(slope)}
        parts = [f("Split", "parts", "zero", "x", num_split=2)] if "parts" in x else []
        nodes = [*parts, f("Mul", "m", x, "a"), f("Maximum", "y", "m", other)]
        rule = "" if found == "right" else "keep_maximum_out_of_leaky_relu"
        return trap("max(a * x, x) as LeakyRelu", graph, found, rule, given, nodes)

    yield row("a = 0.2", "right", 0.2)
    yield row("a = -0.5", "right", -0.5)
    yield row("a = 1.5", "wrong", 1.5)
    yield row("a of more dimensions than x", "wrong", np.full((1, 1, 1), 0.2, np.float32))
    yield row("x is the second output of a node", "wrong", 0.2, x="parts:1", other="parts:1")
    yield row("two outputs of one node", "wrong", 0.2, x="parts", other="parts:1")


def behind_convolutions() -> Iterator[Trap]:
    residual: Given = {**IMAGE, "r": wave(2, 6, 7, 8)}
    volume: Given = {**VOLUME, "r": wave(1, 3, 4, 5, 8)}
    added = f("AddV2", "sum", "r", "c")
    leaky = f("LeakyRelu", "y", "sum", alpha=0.1)
    rule = "keep_sum_out_of_activation"
    mish = [f("Softplus", "p", "sum"), f("Tanh", "t", "p"), f("Mul", "y", "sum", "t")]
    pattern = "convolution, BiasAdd, Add, activation"
    for op in ("Relu", "Relu6", "Elu", "Tanh", "Sigmoid"):
        yield trap(pattern, op, "right", "", residual, [*CONV, added, f(op, "y", "sum")])
    yield trap(pattern, "LeakyRelu of slope 0.2", "right", "", residual, [
        *CONV, added, f("LeakyRelu", "y", "sum", alpha=0.2),
    ])  # fmt: skip
    yield trap(pattern, "LeakyRelu of slope 0.1", "wrong", rule, residual, [*CONV, added, leaky])
    yield trap(pattern, "AddN, LeakyRelu of slope 0.1", "wrong", rule, residual, [
        *CONV, f("AddN", "sum", "c", "r", N=2), leaky,
    ])  # fmt: skip
    yield trap(pattern, "Conv3D, LeakyRelu of slope 0.1", "wrong", rule, volume, [*CONV3D, added, leaky])
    yield trap(pattern, "Mish", "refused", rule, residual, [*CONV, added, *mish])
    for slope in (-0.5, 0.0, 0.1, 1.7):
        behind = f("LeakyRelu", "y", "c", alpha=slope)
        yield trap("product, BiasAdd, activation", f"LeakyRelu of slope {slope}", "right", "", IMAGE, [*CONV, behind])
    for op in ("Relu6", "Elu", "Tanh", "Sigmoid"):
        yield trap("product, BiasAdd, activation", op, "right", "", DENSE, [*MATMUL, f(op, "y", "c")])
    yield from behind_batch_norms()


def behind_batch_norms() -> Iterator[Trap]:
    statistics: dict[str, Const] = {"s": const(1 + np.abs(wave(8))), "o": const(wave(8)), "m": const(wave(8))}
    given: Given = {**IMAGE, **statistics, "v": const(1 + np.abs(wave(8)))}
    attrs = {"epsilon": 0.01, "is_training": False, "data_format": "NHWC"}
    norm = new_node("FusedBatchNormV3", "n", ["product", "s", "o", "m", "v"], T=FLOAT, U=FLOAT, **attrs)
    for op in ("Relu", "Relu6", "Elu", "Sigmoid", "Tanh"):
        found, rule = ("refused", "keep_tanh_out_of_conv") if op == "Tanh" else ("right", "")
        inputs = {name: value for name, value in given.items() if name != "b"}
        yield trap("convolution, batch norm, activation", op, found, rule, inputs, [CONV[0], norm, f(op, "y", "n")])


TRAPS = [*gelus(), *hard_swishes(), *products(), *maxima(), *behind_convolutions()]
