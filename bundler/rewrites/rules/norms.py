"""Normalisations that TensorFlow's remapper fuses into something else.

With oneDNN, moments followed by a normalisation become one op, `_MklLayerNorm` or `_MklFusedInstanceNorm`. The remapper
does not check all preconditions of these ops (`FindMklLayerNorm`, `FindInstanceNorm` in
https://github.com/tensorflow/tensorflow/blob/v2.19.0/tensorflow/core/grappler/optimizers/remapper.cc; the same in 2.16
to 2.21).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Tensor, attr
from bundler.rewrites.draft import Draft
from bundler.rewrites.engine import rule
from bundler.rewrites.rules.around import ADDS, constants_of, maker, operands, readers

__all__ = ["keep_norm_out_of_fusion"]

_LAYER_NORM_EPSILON = np.float32(0.001)
_LAST_CHANNELS = ((1, 2), (1, 2, 3))
_FIRST_CHANNELS = ((2, 3), (2, 3, 4))


class _Moments(NamedTuple):
    """Mean and variance of `x`, as `Rsqrt` reads them: the variance plus a constant."""

    x: set[str]
    mean: Node
    variance: Node
    epsilon: np.ndarray


class _Norm(NamedTuple):
    """The moments with what they are applied to; `x` are all references to the input."""

    moments: _Moments
    x: set[str]
    gamma: tuple[int, ...]
    beta: tuple[int, ...]


@rule("Rsqrt")
def keep_norm_out_of_fusion(rsqrt: Node, graph: Graph) -> list[Node] | None:
    """Write the epsilon of a normalisation that would be fused wrongly as a subtraction.

    The layer norm computes with epsilon 0.001, whatever the graph's is, and takes vectors only. The instance norm takes
    gamma and beta for one number a channel, the first output of the node that makes x for x, and the axes of the
    mean for those of the variance. A normalisation for which all this is true stays as it is, and is fused.

    Before:
        mean = Mean(x, axis)
        diff = SquaredDifference(x, mean)
        var = Mean(diff, axis)
        sum = AddV2(var, epsilon)
        y = Rsqrt(sum)
        scale = Mul(y, gamma)
        xs = Mul(x, scale)
        ms = Mul(mean, scale)
        shift = Sub(beta, ms)
        z = AddV2(xs, shift)
    After:
        mean = Mean(x, axis)
        diff = SquaredDifference(x, mean)
        var = Mean(diff, axis)
        sum = AddV2(var, epsilon)
        y/minus_epsilon = Const()
        y/sum = Sub(var, y/minus_epsilon)
        y = Rsqrt(y/sum)
        scale = Mul(y, gamma)
        xs = Mul(x, scale)
        ms = Mul(mean, scale)
        shift = Sub(beta, ms)
        z = AddV2(xs, shift)
    """
    for moments in _moments(rsqrt, graph):
        if any(_is_fused_wrongly(norm, graph) for norm in _norms(rsqrt, moments, graph)):
            draft, dtype = Draft(rsqrt, graph), attr(rsqrt, "T")
            minus = draft.constant("minus_epsilon", np.asarray(-moments.epsilon))
            return draft.end("Rsqrt", draft.op("Sub", "sum", moments.variance.name, minus, T=dtype), T=dtype)
    return None


def _moments(rsqrt: Node, graph: Graph) -> Iterator[_Moments]:
    sum = maker(rsqrt.input[0], graph, *ADDS)
    for epsilon, other in constants_of(sum, graph) if sum else ():
        variance = maker(other, graph, "Mean")
        difference = maker(variance.input[0], graph, "SquaredDifference") if variance else None
        for reference in operands(difference) if difference else ():
            mean = maker(reference, graph, "Mean")
            if mean and difference and variance:
                yield _Moments({mean.input[0], *operands(difference)} - {reference}, mean, variance, epsilon)


def _norms(rsqrt: Node, moments: _Moments, graph: Graph) -> Iterator[_Norm]:
    """The normalisations with these moments: x * scale + (beta - mean * scale), scale = gamma / deviation."""
    for scale in readers(rsqrt, graph, "Mul"):
        gamma = _folded_shape(_other(scale, rsqrt), graph)
        shifted = [read for read in readers(scale, graph, "Mul") if _other(read, scale) == moments.mean.name]
        scaled = [read for read in readers(scale, graph, "Mul") if read not in shifted]
        for mean in shifted:
            for shift in readers(mean, graph, "Sub"):
                beta = _folded_shape(shift.input[0], graph)
                for sum in readers(shift, graph, *ADDS):
                    x = {_other(read, scale) for read in scaled if read.name == _other(sum, shift)}
                    if x and gamma is not None and beta is not None:
                        yield _Norm(moments, moments.x | x, gamma, beta)


def _folded_shape(reference: str, graph: Graph) -> tuple[int, ...] | None:
    """The shape of a constant, or of a Reshape of one: TensorFlow folds it before it fuses. None for other tensors."""
    reshape = maker(reference, graph, "Reshape")
    if reshape is None:
        return graph.constant_shape(reference)
    target = graph.constant(reshape.input[1])
    is_folded = target is not None and graph.constant_shape(reshape.input[0]) is not None
    return tuple(target.tolist()) if target is not None and is_folded else None


def _other(node: Node, known: Node) -> str:
    """The operand of `node` that `known` does not make, or `known` if it makes both."""
    others = [reference for reference in operands(node) if Tensor.parse(reference).node != known.name]
    return others[0] if others else known.name


def _is_fused_wrongly(norm: _Norm, graph: Graph) -> bool:
    mean, variance = norm.moments.mean, norm.moments.variance
    axes, others = (_axes(node, graph) for node in (mean, variance))
    is_plain = axes == others and len(norm.x) == 1 and attr(variance, "keep_dims", False)
    if axes in ((1,), (2,)):
        is_vector = len(norm.gamma) == len(norm.beta) == 1 and norm.gamma == norm.beta != (1,)
        return not (is_plain and is_vector and norm.moments.epsilon == _LAYER_NORM_EPSILON)
    if axes not in _LAST_CHANNELS + _FIRST_CHANNELS or norm.gamma != norm.beta:
        return False
    is_first_output = all(Tensor.parse(reference).port == 0 for reference in norm.x)
    is_scalar = norm.moments.epsilon.size == 1
    return not (is_plain and is_first_output and is_scalar and _is_one_a_channel(norm.gamma, axes))


def _axes(mean: Node, graph: Graph) -> tuple[int, ...]:
    axes = graph.constant(mean.input[1])
    return () if axes is None else tuple(axes.reshape(-1).tolist())


def _is_one_a_channel(shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    """Whether numbers of this shape lie along the channels, which come last or right after the batch."""
    behind = len(axes) if axes in _FIRST_CHANNELS else 0
    sizes = [1] * (behind + 1 - len(shape)) + list(shape)
    at = len(sizes) - 1 - behind
    return sizes[at] > 1 and all(size == 1 for place, size in enumerate(sizes) if place != at)
