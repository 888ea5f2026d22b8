"""Constants of functions as the model stores them: float16 stays float16.

    Before:
        w = Const()                # float32
        y = Conv2D(x, w)
    After:
        w/half = Const()           # float16
        w = Cast(w/half)
        y = Conv2D(x, w)

The main graph holds them too, and a loader holds several copies of each function: copies of half the size. No bit
changes, as each float16 is a float32. TensorFlow folds the Cast into the constant of the first form, so that oneDNN
sees a constant, unless it is too large.

Source: tensorflow/core/grappler/optimizers/constant_folding.cc, `kMaxConstantSize`, the same in 2.16 to 2.21.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from bundler.ir.dtypes import DType
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function, Graph
from bundler.ir.nodes import Node, new_node
from bundler.ir.weight import Weight

__all__ = ["in_halves", "nbytes"]

_SMALL = 1 << 10
"""Elements up to which a constant stays as it is: one node more costs as much as it saves."""
_TOO_LARGE = 100 * 1024
"""Bytes from which on TensorFlow does not fold a constant that is larger than what it is made from."""


def in_halves(function: Function) -> Function:
    """The function with a float16 behind each constant that is stored as one."""
    graph = function.graph
    names = FreshNames([*(argument.name for argument in function.definition.signature.input_arg), *graph.by_name])
    halves = {name: names(f"{name}/half") for name, weight in graph.weights.items() if _is_half(weight)}
    nodes = (_widened(node, halves[node.name]) if node.name in halves else (node,) for node in graph.nodes)
    weights = {
        halves.get(name, name): weight.cast(DType.float16) if name in halves else weight
        for name, weight in graph.weights.items()
    }
    return replace(function, graph=Graph(tuple(chain.from_iterable(nodes)), weights)) if halves else function


def nbytes(weight: Weight) -> int:
    """The bytes that a function needs for a constant."""
    return weight.nbytes // 2 if _is_half(weight) else weight.nbytes


def _is_half(weight: Weight) -> bool:
    is_float16 = weight.stored == DType.float16 and weight.dtype == DType.float32
    return is_float16 and weight.size > _SMALL and weight.nbytes < _TOO_LARGE


def _widened(const: Node, half: str) -> tuple[Node, Node]:
    """A constant as a float16 of the name `half`, and the Cast that has its name."""
    stored = new_node("Const", half, const.input, dtype=DType.float16)
    return stored, new_node("Cast", const.name, [half], SrcT=DType.float16, DstT=DType.float32)
