"""Activations that TensorFlow's optimizers take for others.

The patterns are those of tensorflow/core/grappler/optimizers/remapper.cc with oneDNN, the same in 2.16 to 2.21. Each
rule keeps a graph out of a pattern that would change its numbers. A graph that is fused rightly stays as it is.
"""

from __future__ import annotations

import numpy as np

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Tensor, attr
from bundler.rewrites.draft import Draft
from bundler.rewrites.engine import rule
from bundler.rewrites.rules.around import ADDS, constants_of, factors, factors_behind, is_near, maker, operands, readers

__all__ = [
    "keep_erf_out_of_gelu",
    "keep_maximum_out_of_leaky_relu",
    "keep_sum_out_of_activation",
    "keep_tanh_out_of_conv",
]

_BATCH_NORMS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
_DEFAULT_SLOPE = np.float32(0.2)


@rule(*ADDS, beside=["Erf"])
def keep_erf_out_of_gelu(sum: Node, graph: Graph) -> list[Node] | None:
    """Write erf + 1 of an inexact GELU as a subtraction.

    The remapper fuses MatMul, BiasAdd and x * c * (erf(x * k) + 1) into a GELU with c = 0.5 and k = 0.70710678, even
    if the graph's constants are 0.01 off. In models whose weights were float16, k is 0.70703125.

    Before:
        xk = Mul(x, almost_k)
        e = Erf(xk)
        y = AddV2(e, one)
        xy = Mul(x, y)
        z = Mul(xy, half)
    After:
        xk = Mul(x, almost_k)
        e = Erf(xk)
        y/minus = Const()
        y = Sub(e, y/minus)
        xy = Mul(x, y)
        z = Mul(xy, half)
    """
    for one, other in constants_of(sum, graph):
        erf = maker(other, graph, "Erf")
        if erf and is_near(one, 1) and not _is_exact_gelu(erf, sum, one, graph):
            draft = Draft(sum, graph)
            return draft.end("Sub", other, draft.constant("minus", np.asarray(-one)), T=attr(sum, "T"))
    return None


def _is_exact_gelu(erf: Node, sum: Node, one: np.ndarray, graph: Graph) -> bool:
    scale = maker(erf.input[0], graph, "Mul", "RealDiv")
    inner = list(factors(scale, graph)) if scale else []
    outer = [factor for factor in factors_behind(sum, graph) if is_near(np.array(factor), 0.5)]
    return _are_all([float(value) for value in one.flat], 1) and _are_all(inner, 0.5**0.5) and _are_all(outer, 0.5)


def _are_all(numbers: list[float], number: float) -> bool:
    """Whether the numbers are this one, to the last digits of float32."""
    return all(abs(found - number) <= 1e-6 * number for found in numbers)


@rule("Maximum")
def keep_maximum_out_of_leaky_relu(maximum: Node, graph: Graph) -> list[Node] | None:
    """Keep the maximum of x and a * x out of a LeakyRelu that differs from it.

    The remapper does not check that a is at most 1, that it has no more dimensions than x, and that x is the first
    output of its node.

    Before:
        m = Mul(x, slope)
        y = Maximum(m, x)
    After:
        m = Mul(x, slope)
        y/same = Maximum(x, x)
        y = Maximum(m, y/same)
    """
    first, second = operands(maximum)
    for product, other in ((first, second), (second, first)):
        if _is_unlike_leaky_relu(product, other, graph):
            draft, dtype = Draft(maximum, graph), attr(maximum, "T")
            same = draft.same("same", other, dtype)
            return draft.end("Maximum", *(product, same) if product == first else (same, product), T=dtype)
    return None


def _is_unlike_leaky_relu(product: str, other: str, graph: Graph) -> bool:
    node = maker(product, graph, "Mul")
    for slope, x in constants_of(node, graph) if node else ():
        if slope.size == 1 and Tensor.parse(x).node == Tensor.parse(other).node:
            has_port = any(Tensor.parse(reference).port for reference in (x, other))
            return has_port or slope.ndim > 1 or not float(slope.flat[0]) <= 1
    return False


@rule(*ADDS, "AddN", beside=["LeakyRelu", "Softplus"])
def keep_sum_out_of_activation(sum: Node, graph: Graph) -> list[Node] | None:
    """Keep the activation behind convolution + bias + addend out of a fusion that lacks it.

    The remapper fuses a LeakyRelu without its slope, and a Mish without a kernel for it.

    Before:
        c = Conv2D(x, w)
        cb = BiasAdd(c, b)
        y = AddV2(cb, z)
        a = LeakyRelu(y, alpha=0.5)
    After:
        c = Conv2D(x, w)
        cb = BiasAdd(c, b)
        y/sum = AddV2(cb, z)
        y = Maximum(y/sum, y/sum)
        a = LeakyRelu(y, alpha=0.5)
    """
    if not _is_convolved(sum, graph):
        return None
    leaky = (np.float32(attr(read, "alpha", 0.2)) for read in readers(sum, graph, "LeakyRelu"))
    if all(slope == _DEFAULT_SLOPE for slope in leaky) and not any(readers(sum, graph, "Softplus")):
        return None
    draft, dtype = Draft(sum, graph), attr(sum, "T")
    made = draft.op(sum.op, "sum", *draft.inputs, T=dtype, N=sum.attr.get("N"))
    return draft.end("Maximum", made, made, T=dtype)


def _is_convolved(sum: Node, graph: Graph) -> bool:
    """Whether an addend is a convolution with a bias."""
    biased = (maker(reference, graph, "BiasAdd", *ADDS) for reference in operands(sum))
    return len(operands(sum)) == 2 and any(
        maker(reference, graph, "Conv2D", "Conv3D") for node in biased if node for reference in operands(node)
    )


@rule("Tanh")
def keep_tanh_out_of_conv(tanh: Node, graph: Graph) -> list[Node] | None:
    """Keep Tanh out of the fusion with convolution and batch norm, for which there is no kernel.

    Before:
        c = Conv2D(x, w)
        n = FusedBatchNormV3(c, scale, offset, mean, var)
        y = Tanh(n)
    After:
        c = Conv2D(x, w)
        n = FusedBatchNormV3(c, scale, offset, mean, var)
        y/same = Maximum(n, n)
        y = Tanh(y/same)
    """
    norm = maker(tanh.input[0], graph, *_BATCH_NORMS)
    if norm is None or maker(norm.input[0], graph, "Conv2D") is None:
        return None
    draft, dtype = Draft(tanh, graph), attr(tanh, "T")
    return draft.end("Tanh", draft.same("same", draft.inputs[0], dtype), T=dtype)
