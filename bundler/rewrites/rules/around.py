"""The neighbours of a node: those that make its operands, and those that read it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Tensor

__all__ = [
    "ADDS",
    "constants_of",
    "factors",
    "factors_behind",
    "is_near",
    "maker",
    "operands",
    "products_behind",
    "readers",
]

ADDS = ("Add", "AddV2")


def operands(node: Node) -> tuple[str, ...]:
    """The inputs that carry tensors, without the control edges."""
    return tuple([reference for reference in node.input if reference[:1] != "^"])


def maker(reference: str, graph: Graph, *ops: str) -> Node | None:
    """The node that makes a tensor, if it is of one of `ops`."""
    made = graph.producer(reference)
    return made if made is not None and made.op in ops else None


def readers(node: Node, graph: Graph, *ops: str) -> Iterator[Node]:
    """The nodes of `ops` that read an output of `node`; a control edge does not count."""
    for reader in graph.consumers.get(node.name, ()):
        if reader.op in ops and any(Tensor.parse(reference).node == node.name for reference in operands(reader)):
            yield reader


def constants_of(node: Node, graph: Graph) -> Iterator[tuple[np.ndarray, str]]:
    """For a node with two operands: each that is a small constant, and the other operand."""
    inputs = operands(node)
    if len(inputs) == 2:
        for reference, other in (inputs, inputs[::-1]):
            value = graph.constant(reference)
            if value is not None:
                yield value, other


def is_near(value: np.ndarray, number: float) -> bool:
    """Whether TensorFlow's remapper takes a constant for `number`: it has one element, and is at most 0.01 off.

    See `VerifyConstants` in tensorflow/core/grappler/optimizers/remapper.cc.
    """
    return value.size == 1 and bool(abs(float(value.flat[0]) - number) <= 1e-2)


def factors(node: Node, graph: Graph) -> Iterator[float]:
    """The constants by which a Mul or RealDiv multiplies its other operand."""
    for value, other in constants_of(node, graph):
        if node.op == "Mul":
            yield from map(float, value.flat)
        elif other == operands(node)[0]:
            yield from (1 / float(divisor) for divisor in value.flat if divisor)


def products_behind(node: Node, graph: Graph) -> Iterator[Node]:
    """The products that read a node, their operands that are products, and the products that read them."""
    for product in readers(node, graph, "Mul", "RealDiv"):
        operators = (maker(reference, graph, "Mul", "RealDiv") for reference in operands(product))
        yield product
        yield from readers(product, graph, "Mul", "RealDiv")
        yield from (operator for operator in operators if operator is not None)


def factors_behind(node: Node, graph: Graph) -> Iterator[float]:
    """The constants in these products."""
    return (factor for product in products_behind(node, graph) for factor in factors(product, graph))
