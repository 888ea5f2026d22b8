"""Normalization.

Sources: tfjs-layers/src/layers/normalization.ts,
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/normalization,
`keras/src/layers/normalization` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bundler.drafting.tensors import axis_of, channels, floats, reduce, reshape, sizes
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.tfjs.layers.graph.scope import Make, Scope

__all__ = ["LAYERS"]

_Axes = int | tuple[int, ...]


def _batch_normalization(
    scope: Scope, x: Value, *, axis: _Axes, epsilon: float, center: bool, scale: bool, **_: object
) -> Value:
    """Each channel by the mean and the variance that training has found."""
    x = floats(scope, x)
    axes = _axes(x, axis)
    shape = [channels(x, each) for each in axes]
    gamma = scope.weight("gamma", shape) if scale else None
    beta = scope.weight("beta", shape) if center else None
    mean, variance = scope.weight("moving_mean", shape), scope.weight("moving_variance", shape)
    if x.rank == 4 and axes == (3,):
        return _fused(scope, x, gamma, beta, mean, variance, epsilon)
    return _normalized(scope, x, epsilon, *(_spread(scope, x, axes, each) for each in (gamma, beta, mean, variance)))


def _fused(
    scope: Scope, x: Value, gamma: Value | None, beta: Value | None, mean: Value, variance: Value, epsilon: float
) -> Value:
    """An image with its channels last, by the op for it."""
    depth = channels(x)
    gamma = scope.constant(np.ones(depth, np.float32), "gamma") if gamma is None else gamma
    beta = scope.constant(np.zeros(depth, np.float32), "beta") if beta is None else beta
    given = (x, gamma, beta, mean, variance)
    return scope.op("FusedBatchNormV3", *given, shape=x.shape, epsilon=epsilon, is_training=False)


def _layer_normalization(scope: Scope, x: Value, *, axis: _Axes, epsilon: float, center: bool, scale: bool) -> Value:
    """Each sample by its own mean and variance over some axes."""
    x = floats(scope, x)
    axes = _axes(x, axis)
    shape = [channels(x, each) for each in axes]
    gamma = scope.weight("gamma", shape) if scale else None
    beta = scope.weight("beta", shape) if center else None
    mean = reduce(scope, "Mean", x, axes, keep=True)
    variance = reduce(scope, "Mean", scope.op("SquaredDifference", x, mean), axes, keep=True)
    factor, shift = (_spread(scope, x, axes, each) for each in (gamma, beta))
    return _normalized(scope, x, epsilon, factor, shift, mean, variance)


def _group_normalization(
    scope: Scope, x: Value, *, groups: int, axis: int, epsilon: float, center: bool, scale: bool
) -> Value:
    """Each sample by its own mean and variance in each group of channels."""
    x = floats(scope, x)
    at = axis_of(x, axis)
    depth = channels(x, at)
    count = depth if groups == -1 else groups
    if at == 0 or count < 1 or depth % count:
        raise ConversionError(
            "the groups do not divide the channels", found=str(depth), expected=f"multiples of {groups}"
        )
    gamma = scope.weight("gamma", (depth,)) if scale else None
    beta = scope.weight("beta", (depth,)) if center else None
    whole = sizes(scope, x)
    grouped = reshape(scope, x, (*whole[:at], count, depth // count, *whole[at + 1 :]))
    axes = [other for other in range(1, grouped.rank) if other != at]
    mean = reduce(scope, "Mean", grouped, axes, keep=True)
    variance = reduce(scope, "Mean", scope.op("SquaredDifference", grouped, mean), axes, keep=True)
    parts = [None if each is None else _by_group(scope, grouped, at, each) for each in (gamma, beta)]
    return reshape(scope, _normalized(scope, grouped, epsilon, parts[0], parts[1], mean, variance), whole)


def _by_group(scope: Scope, grouped: Value, at: int, weight: Value) -> Value:
    shape = [channels(grouped, axis) if axis in (at, at + 1) else 1 for axis in range(grouped.rank)]
    return reshape(scope, weight, shape)


def _rms_normalization(scope: Scope, x: Value, *, axis: _Axes, epsilon: float) -> Value:
    """Each sample by the root of its mean square over some axes."""
    x = floats(scope, x)
    axes = _axes(x, axis)
    factor = scope.weight("scale", [channels(x, each) for each in axes])
    square = reduce(scope, "Mean", scope.op("Square", x), axes, keep=True)
    normed = scope.op("Mul", x, scope.op("Rsqrt", scope.op("AddV2", square, epsilon)))
    spread = _spread(scope, x, axes, factor)
    assert spread is not None
    return scope.op("Mul", normed, spread)


def _unit_normalization(scope: Scope, x: Value, *, axis: _Axes) -> Value:
    """Each sample with length 1 over some axes."""
    x = floats(scope, x)
    square = reduce(scope, "Sum", scope.op("Square", x), _axes(x, axis), keep=True)
    return scope.op("Mul", x, scope.op("Rsqrt", scope.op("Maximum", square, 1e-12)))


def _normalized(
    scope: Scope,
    x: Value,
    epsilon: float,
    gamma: Value | None,
    beta: Value | None,
    mean: Value | None,
    variance: Value | None,
) -> Value:
    """(x - mean) / √(variance + epsilon) · gamma + beta, in the form of tf.nn.batch_normalization."""
    assert mean is not None and variance is not None
    factor = scope.op("Rsqrt", scope.op("AddV2", variance, epsilon))
    factor = factor if gamma is None else scope.op("Mul", factor, gamma)
    shift = scope.op("Mul", mean, factor)
    shift = scope.op("Neg", shift) if beta is None else scope.op("Sub", beta, shift)
    return scope.op("AddV2", scope.op("Mul", x, factor), shift)


def _axes(x: Value, axis: _Axes) -> tuple[int, ...]:
    """The axes from the front. ConversionError if one is named twice."""
    axes = tuple(axis_of(x, each) for each in (axis if isinstance(axis, tuple) else (axis,)))
    if not axes or len({*axes}) < len(axes):
        raise ConversionError(
            "the layer names an axis twice, or none", found=str(list(axes)), expected="different axes"
        )
    return axes


def _spread(scope: Scope, x: Value, axes: Sequence[int], weight: Value | None) -> Value | None:
    """The weight of some axes with the rank of `x`; as it is if broadcasting does the same."""
    if weight is None or list(axes) == [*range(x.rank)][-len(axes) :]:
        return weight
    return reshape(scope, weight, [channels(x, axis) if axis in axes else 1 for axis in range(x.rank)])


LAYERS: Mapping[str, Make] = {
    "BatchNormalization": _batch_normalization,
    "GroupNormalization": _group_normalization,
    "LayerNormalization": _layer_normalization,
    "RMSNormalization": _rms_normalization,
    "UnitNormalization": _unit_normalization,
}
