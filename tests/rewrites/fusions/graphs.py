"""What the graphs of this table are made of: float nodes, weights, inputs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, Value, new_node
from tests.conformance.case import Case, Const

__all__ = ["FLOAT", "INT", "Given", "Trap", "const", "conv", "f", "matmul", "new_node", "trap", "wave"]

FLOAT, INT = DType.float32, DType.int32
Given = Mapping[str, "np.ndarray | Const"]


class Trap(NamedTuple):
    """A graph that an optimizer's pattern matches, or nearly.

    `pattern` names the pattern, `graph` says what is special. `found` is what TensorFlow with oneDNN makes of it as it
    is: right, wrong, refused, or dies. `rule` is what keeps it right; empty where it is right without one.
    """

    pattern: str
    graph: str
    found: str
    rule: str
    case: Case

    @property
    def id(self) -> str:
        return f"{self.pattern}: {self.graph}"


def trap(
    pattern: str,
    graph: str,
    found: str,
    rule: str,
    inputs: Given,
    nodes: Iterable[Node],
    outputs: Sequence[str] = ("y",),
) -> Trap:
    """A trap whose graph reads `inputs`: arrays are fed, Consts are weights."""
    listed = tuple(nodes)
    name = "".join(letter if letter.isalnum() else "-" for letter in f"{pattern} {graph}")
    return Trap(pattern, graph, found, rule, Case(listed[-1].op, name, inputs, listed, outputs))


def wave(*shape: int) -> np.ndarray:
    """Numbers from -2 to 2, none like another."""
    return np.asarray(2 * np.sin(np.arange(math.prod(shape), dtype=np.float32) * 1.7 + 0.5)).reshape(shape)


def const(value: Any, dtype: str | None = None) -> Const:
    """A weight."""
    return Const(value, dtype)


def f(op: str, name: str, *inputs: str, **attrs: Value) -> Node:
    """A node of float32."""
    return new_node(op, name, inputs, T=FLOAT, **attrs)


def conv(name: str, x: str, w: str, op: str = "Conv2D", **attrs: Any) -> Node:
    """A convolution without strides."""
    ones = [1] * (5 if op == "Conv3D" else 4)
    return f(op, name, x, w, **{"strides": ones, "padding": "SAME", "dilations": ones, **attrs})


def matmul(name: str, a: str, b: str) -> Node:
    """A product of matrices."""
    return f("MatMul", name, a, b, transpose_a=False, transpose_b=False)
