"""Products with something added: biases, residuals, masks of attention scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bundler.ir.nodes import Node
from tests.rewrites.fusions.activations import CONV, DENSE, IMAGE, MATMUL
from tests.rewrites.fusions.graphs import FLOAT, INT, Given, Trap, const, conv, f, matmul, new_node, trap, wave

__all__ = ["TRAPS"]


def biases() -> Iterator[Trap]:
    given: Given = {"x": DENSE["x"], "w": DENSE["w"]}
    for graph, shape in (
        ("[C]", (8,)),
        ("[1, C]", (1, 8)),
        ("a scalar", ()),
        ("[B, 1]", (4, 1)),
        ("[1, 1, C]", (1, 1, 8)),
    ):
        found, rule = ("wrong", "keep_rank_of_sum") if len(shape) == 3 else ("right", "")
        nodes = [matmul("m", "x", "w"), f("AddV2", "sum", "m", "k"), f("Relu", "y", "sum")]
        yield trap(
            "MatMul, Add as a bias", f"{graph} is added", found, rule, {**given, "k": const(wave(*shape))}, nodes
        )
    swapped = [matmul("m", "x", "w"), f("AddV2", "y", "k", "m")]
    more: Given = {**given, "k": const(wave(1, 1, 1, 8))}
    yield trap("MatMul, Add as a bias", "added to [1, 1, 1, C]", "wrong", "keep_rank_of_sum", more, swapped)


def moved_biases() -> Iterator[Trap]:
    rule, pattern = "add_moved_biases", "convolution, Squeeze, BiasAdd"
    for graph, channels, size, dims in (
        ("a dimension of the image is dropped", 8, (2, 1, 7, 3), [1]),
        ("[-1]: channels are dropped", 1, (2, 6, 7, 3), [-1]),
        ("[]: channels are dropped with the rest", 1, (2, 6, 7, 3), []),
    ):
        count = channels if channels > 1 else 7
        given: Given = {"x": wave(*size), "w": const(wave(1, 3, 3, channels)), "b": const(wave(count))}
        nodes = [conv("c", "x", "w"), f("Squeeze", "s", "c", squeeze_dims=dims), f("BiasAdd", "y", "s", "b")]
        found = "right" if channels > 1 else "dies"
        yield trap(pattern, graph, found, "" if found == "right" else rule, given, nodes)
    for graph, shape in (("a scalar", ()), ("[1, H, W, C]", (1, 6, 7, 8)), ("[1, H, W, 1]", (1, 6, 7, 1))):
        found = "refused" if shape[-1:] == (1,) else "right"
        nodes = [*CONV, f("AddV2", "y", "c", "k")]
        more: Given = {**IMAGE, "k": const(wave(*shape))}
        yield trap(
            "BiasAdd, Add of a constant", f"{graph} is added", found, "" if found == "right" else rule, more, nodes
        )
    dense: Given = {**DENSE, "k": const(wave(4, 1))}
    nodes = [*MATMUL, f("AddV2", "y", "c", "k")]
    yield trap("BiasAdd, Add of a constant", "[B, 1] is added to a matrix", "refused", rule, dense, nodes)


def residuals() -> Iterator[Trap]:
    def row(graph: str, *nodes: Node, outputs: tuple[str, ...] = ("y",), **inputs: Any) -> Trap:
        return trap("convolution, BiasAdd, Add", graph, "right", "", {**IMAGE, **inputs}, [*CONV, *nodes], outputs)

    added = f("AddV2", "sum", "c", "r"), f("Relu", "y", "sum")
    yield row("the addend has one batch", *added, r=wave(1, 6, 7, 8))
    yield row("the addend has one channel", *added, r=wave(2, 6, 7, 1))
    yield row("the addend is a constant", *added, r=const(wave(2, 6, 7, 8)))
    yield row(
        "the addend has other readers",
        f("Relu", "r", "z"),
        *added,
        f("Neg", "n", "r"),
        outputs=("y", "n"),
        z=wave(2, 6, 7, 8),
    )
    yield row("the addend is the sum's own Relu", f("Relu", "r", "c"), *added)
    yield row("the addend is the convolution", f("AddV2", "sum", "c", "product"), f("Relu", "y", "sum"))
    reshaped = f("Relu", "s", "z"), f("Reshape", "r", "s", "shape", Tshape=INT)
    shapes: dict[str, Any] = {"z": wave(4, 3, 7, 8), "shape": const([2, 6, 7, 8])}
    yield row(
        "the addend is reshaped from what others read",
        *reshaped,
        *added,
        f("Neg", "n", "s"),
        outputs=("y", "n"),
        **shapes,
    )


def scores() -> Iterator[Trap]:
    def row(graph: str, rule: str = "", pre: tuple[Node, ...] = (), early: bool = False, **given: Any) -> Trap:
        q, scale, mask = (given.pop(f"{name}_", name) for name in ("q", "scale", "mask"))
        attrs: dict[str, Any] = {"adj_x": False, "adj_y": False}
        body = (
            [f("Mul", "scaled", q, scale), f("BatchMatMulV2", "product", "scaled", "k", **attrs)]
            if early
            else [f("BatchMatMulV2", "plain", q, "k", **attrs), f("Mul", "product", "plain", scale)]
        )
        inputs = {"q": wave(2, 3, 4, 5), "k": wave(2, 3, 5, 6), "mask": wave(2, 1, 4, 6), "scale": const(0.4), **given}
        nodes = [*pre, *body, f("AddV2", "y", "product", mask)]
        read = {reference.partition(":")[0] for made in nodes for reference in made.input}
        kept = {name: value for name, value in inputs.items() if name in read}
        return trap("attention scores", graph, "wrong" if rule else "right", rule, kept, nodes)

    yield row("as they should be")
    yield row("scaled queries", early=True)
    yield row("queries of one batch", q=wave(1, 3, 4, 5))
    yield row("mask [1, 1, 1, T]", mask=wave(1, 1, 1, 6))
    yield row("rank 5", q=wave(2, 2, 3, 4, 5), k=wave(2, 2, 3, 5, 6), mask=wave(2, 1, 4, 6))
    parts = f("Split", "parts", "zero", "two", num_split=2)
    masks: dict[str, Any] = {"zero": const(0), "two": wave(4, 1, 4, 6), "mask_": "parts:1"}
    yield row("the mask is the second output of a node", "copy_addend_of_scores", (parts,), **masks)
    yield row(
        "the mask is the second output of a node, scaled queries", "copy_addend_of_scores", (parts,), True, **masks
    )
    unpacked = new_node("Unpack", "parts", ["qkv"], T=FLOAT, num=3, axis=0)
    queries: dict[str, Any] = {"qkv": wave(3, 2, 3, 4, 5), "q_": "parts:1"}
    yield row("queries are the second output of a node", "copy_factor_of_scores", (unpacked,), True, **queries)
    yield row(
        "the scale is the second output of a node",
        "copy_factor_of_scores",
        (parts,),
        zero=const(0),
        two=wave(2),
        scale_="parts:1",
    )
    yield row(
        "a scale of five dimensions", "copy_factor_of_scores", scale=const(np.full((1, 1, 1, 1, 1), 0.4, np.float32))
    )


TRAPS = [*biases(), *moved_biases(), *residuals(), *scores()]
