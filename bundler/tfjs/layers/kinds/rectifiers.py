"""Activations that are layers: they have options or weights.

Sources: tfjs-layers/src/layers/advanced_activations.ts,
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/activation,
`keras/src/layers/activations` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Mapping

from bundler.drafting.tensors import axis_of, cast, floats, reduce, transpose
from bundler.drafting.value import Value
from bundler.ir.dtypes import DType
from bundler.tfjs.layers.graph.scope import Make, Scope

__all__ = ["LAYERS", "softmax_along"]


def _relu(scope: Scope, x: Value, *, max_value: float | None, negative_slope: float, threshold: float) -> Value:
    """From the threshold to `max_value` the value itself; below a line that meets zero at the threshold.

    `relu` in https://github.com/keras-team/tf-keras/blob/v2.19.0/tf_keras/src/backend.py
    """
    x = floats(scope, x)
    if negative_slope and max_value is None and not threshold:
        return scope.op("LeakyRelu", x, alpha=float(negative_slope))
    y = _above(scope, x, threshold) if threshold else scope.op("Relu6" if max_value == 6 else "Relu", x)
    if max_value is not None and (threshold or max_value != 6):
        y = scope.op("Maximum", scope.op("Minimum", y, max_value), 0)
    if not negative_slope:
        return y
    below = scope.op("Relu", scope.op("Sub", threshold, x) if threshold else scope.op("Neg", x))
    return scope.op("Sub", y, scope.op("Mul", below, negative_slope))


def _leaky_relu(scope: Scope, x: Value, *, alpha: float) -> Value:
    """Negative values are multiplied by `alpha`."""
    return scope.op("LeakyRelu", floats(scope, x), alpha=float(alpha))


def _prelu(scope: Scope, x: Value, *, shared_axes: int | tuple[int, ...] | None) -> Value:
    """Negative values are multiplied by a weight: one for each place, or for all along the shared axes."""
    x = floats(scope, x)
    shared = [axis_of(x, axis) for axis in ((shared_axes,) if isinstance(shared_axes, int) else shared_axes or ())]
    sizes = [1 if axis in shared else size for axis, size in enumerate(x.shape)]
    alpha = scope.weight("alpha", sizes[1:])
    below = scope.op("Mul", scope.op("Neg", alpha), scope.op("Relu", scope.op("Neg", x)))
    return scope.op("AddV2", scope.op("Relu", x), below)


def _elu(scope: Scope, x: Value, *, alpha: float) -> Value:
    """Negative values become alpha (eˣ - 1)."""
    y = scope.op("Elu", floats(scope, x))
    if alpha == 1:
        return y
    return scope.op("SelectV2", scope.op("Greater", x, 0), y, scope.op("Mul", y, alpha))


def _thresholded_relu(scope: Scope, x: Value, *, theta: float) -> Value:
    """Zero up to `theta`, the value itself above."""
    return _above(scope, floats(scope, x), theta)


def _above(scope: Scope, x: Value, threshold: float) -> Value:
    return scope.op("Mul", x, cast(scope, scope.op("Greater", x, threshold), x.dtype))


def _softmax(scope: Scope, x: Value, mask: Value | None = None, *, axis: int | tuple[int, ...]) -> Value:
    """Exponentials that sum to one along an axis, or along several. What the mask excludes gets nearly nothing."""
    kept = x.mask if mask is None else mask
    if kept is None:
        return _softmax_over(scope, floats(scope, x), axis)
    kept = cast(scope, cast(scope, kept, DType.bool), DType.float32)
    excluded = scope.op("Mul", scope.op("Sub", 1, kept), -1e9)
    y = _softmax_over(scope, scope.op("AddV2", floats(scope, x), excluded), axis)
    return scope.op("Mul", y, kept) if scope.origin.zeroes_excluded else y


def _softmax_over(scope: Scope, x: Value, axis: int | tuple[int, ...]) -> Value:
    axes = sorted({axis_of(x, each) for each in (axis if isinstance(axis, tuple) else (axis,))})
    if len(axes) == 1:
        return softmax_along(scope, x, axes[0])
    powers = scope.op("Exp", scope.op("Sub", x, reduce(scope, "Max", x, axes, keep=True)))
    return scope.op("RealDiv", powers, reduce(scope, "Sum", powers, axes, keep=True))


def softmax_along(scope: Scope, x: Value, axis: int) -> Value:
    """The softmax along an axis, counted from the front."""
    swapped = [*range(x.rank)]
    swapped[axis], swapped[-1] = swapped[-1], swapped[axis]
    y = transpose(scope, x, swapped)
    return transpose(scope, scope.op("Softmax", y, shape=y.shape), swapped)


LAYERS: Mapping[str, Make] = {
    "ELU": _elu,
    "LeakyReLU": _leaky_relu,
    "PReLU": _prelu,
    "ReLU": _relu,
    "Softmax": _softmax,
    "ThresholdedReLU": _thresholded_relu,
}
