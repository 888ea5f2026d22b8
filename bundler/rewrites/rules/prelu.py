"""Prelu, an op that TensorFlow lacks."""

from __future__ import annotations

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, attr, new_node
from bundler.rewrites.engine import rule

__all__ = ["expand_prelu"]


@rule("Prelu")
def expand_prelu(prelu: Node, _graph: Graph) -> list[Node]:
    """Write Prelu with the ops TensorFlow has: relu(x) + -alpha * relu(-x).

    TFLite turns this form into its PRELU. Alpha may be any tensor, and may have other readers.

    Before:
        y = Prelu(x, alpha)
    After:
        y/pos = Relu(x)
        y/neg_x = Neg(x)
        y/neg_alpha = Neg(alpha)
        y/relu_neg_x = Relu(y/neg_x)
        y/neg = Mul(y/neg_alpha, y/relu_neg_x)
        y = AddV2(y/pos, y/neg)
    """
    x, alpha, *control = prelu.input
    y, dtype = prelu.name, attr(prelu, "T")
    return [
        new_node("Relu", f"{y}/pos", [x, *control], T=dtype),
        new_node("Neg", f"{y}/neg_x", [x], T=dtype),
        new_node("Neg", f"{y}/neg_alpha", [alpha], T=dtype),
        new_node("Relu", f"{y}/relu_neg_x", [f"{y}/neg_x"], T=dtype),
        new_node("Mul", f"{y}/neg", [f"{y}/neg_alpha", f"{y}/relu_neg_x"], T=dtype),
        new_node("AddV2", y, [f"{y}/pos", f"{y}/neg"], T=dtype),
    ]
