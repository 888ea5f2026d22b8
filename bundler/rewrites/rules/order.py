"""Nodes that TensorFlow's arithmetic optimizer moves or replaces, with oneDNN and without, in 2.16 to 2.21.

https://github.com/tensorflow/tensorflow/blob/v2.19.0/tensorflow/core/grappler/optimizers/arithmetic_optimizer.cc
"""

from __future__ import annotations

import numpy as np

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, attr
from bundler.rewrites.draft import Draft
from bundler.rewrites.engine import rule
from bundler.rewrites.rules.around import maker, operands

__all__ = ["keep_shape_of_power", "keep_ties_of_extremes"]

_GROWING = (
    *("Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Elu", "Erf", "Exp", "Expm1", "Floor", "Log", "Log1p"),
    *("Relu", "Relu6", "Rint", "Round", "Selu", "Sigmoid", "Sign", "Sinh", "Softplus", "Softsign", "Sqrt", "Tanh"),
)
_FALLING = ("Acos", "Rsqrt")


@rule("ArgMax", "ArgMin")
def keep_ties_of_extremes(extreme: Node, graph: Graph) -> list[Node] | None:
    """Keep ArgMax behind the function whose values it compares.

    The optimizer finds the largest x in place of the largest f(x), for f that grows with x. Where f gives equal values
    (Relu of negative numbers, Sigmoid of large ones), ArgMax takes the first of them.

    Before:
        f = Relu(x)
        y = ArgMax(f, axis)
    After:
        f = Relu(x)
        y/same = Maximum(f, f)
        y = ArgMax(y/same, axis)
    """
    if maker(extreme.input[0], graph, *_GROWING, *_FALLING) is None:
        return None
    draft = Draft(extreme, graph)
    x, axis = draft.inputs
    same = draft.same("same", x, attr(extreme, "T"))
    return draft.end(extreme.op, same, axis, **extreme.attr)


@rule("Pow")
def keep_shape_of_power(power: Node, graph: Graph) -> list[Node] | None:
    """Give the base of a power the shape of an exponent of equal numbers.

    The optimizer writes x ** [2, 2] as Square(x), whose shape is that of x alone.

    Before:
        y = Pow(x, twos)
    After:
        y/ones = Const()
        y/base = Mul(x, y/ones)
        y = Pow(y/base, twos)
    """
    base, exponent = operands(power)
    value = graph.constant(exponent)
    is_uniform = value is not None and np.unique(value).size == 1
    if value is None or not is_uniform or value.shape in ((), (1,)) or value.flat[0] in (0, 1):
        return None
    draft, dtype = Draft(power, graph), attr(power, "T")
    made = draft.op("Mul", "base", base, draft.constant("ones", np.ones_like(value)), T=dtype)
    return draft.end("Pow", made, exponent, T=dtype)
