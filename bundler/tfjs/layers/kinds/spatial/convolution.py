"""Convolutions.

Sources: tfjs-layers/src/layers/convolutional.ts and convolutional_depthwise.ts,
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/convolutional,
`keras/src/layers/convolutional` of Keras 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from bundler.drafting.tensors import channels, concat, expand, pad, reshape, slice_, split, squeeze
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.tfjs.layers.description import Part
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.kinds.activations import activate
from bundler.tfjs.layers.kinds.spatial.windows import Sizes, channels_back, image, lifted, moved

__all__ = ["LAYERS", "convolve", "dilated"]


def _conv(
    scope: Scope,
    x: Value,
    *,
    filters: int,
    kernel_size: Sizes,
    groups: int,
    strides: Sizes,
    padding: str,
    data_format: str,
    dilation_rate: Sizes,
    activation: str | Part,
    use_bias: bool,
) -> Value:
    """A window of weights that moves over one, two or three axes."""
    x = image(scope, x, len(kernel_size), data_format)
    depth = channels(x)
    if depth % groups or filters % groups:
        found = f"{depth} channels and {filters} filters"
        raise ConversionError("the groups do not divide the channels", found=found, expected=f"multiples of {groups}")
    if padding == "causal":
        x = pad(scope, x, [(0, 0), ((kernel_size[0] - 1) * dilation_rate[0], 0), (0, 0)])
    kernel = scope.weight("kernel", (*kernel_size, depth // groups, filters))
    y = convolve(scope, x, kernel, strides, padding, dilation_rate, groups)
    return _finished(scope, y, data_format, activation, use_bias)


def _depthwise_conv(
    scope: Scope,
    x: Value,
    *,
    kernel_size: Sizes,
    depth_multiplier: int,
    strides: Sizes,
    padding: str,
    data_format: str,
    dilation_rate: Sizes,
    activation: str | Part,
    use_bias: bool,
    **_: object,
) -> Value:
    """A convolution of each channel on its own."""
    x = image(scope, x, len(kernel_size), data_format)
    kernel = scope.weight("depthwise_kernel", (*kernel_size, channels(x), depth_multiplier))
    rates = dilation_rate if scope.origin.dilates_depthwise else (1,) * len(kernel_size)
    y = _convolve_depthwise(scope, x, kernel, strides, padding, rates)
    return _finished(scope, y, data_format, activation, use_bias)


def _separable_conv(
    scope: Scope,
    x: Value,
    *,
    filters: int,
    kernel_size: Sizes,
    depth_multiplier: int,
    strides: Sizes,
    padding: str,
    data_format: str,
    dilation_rate: Sizes,
    activation: str | Part,
    use_bias: bool,
    **_: object,
) -> Value:
    """A depthwise convolution, then a matrix over the channels."""
    x = image(scope, x, len(kernel_size), data_format)
    if padding == "causal":
        x = pad(scope, x, [(0, 0), ((kernel_size[0] - 1) * dilation_rate[0], 0), (0, 0)])
    ones = (1,) * len(kernel_size)
    depthwise = scope.weight("depthwise_kernel", (*kernel_size, channels(x), depth_multiplier))
    pointwise = scope.weight("pointwise_kernel", (*ones, channels(x) * depth_multiplier, filters))
    y = _convolve_depthwise(scope, x, depthwise, strides, padding, dilation_rate)
    y = convolve(scope, y, pointwise, ones, "valid", ones)
    return _finished(scope, y, data_format, activation, use_bias)


def _finished(scope: Scope, y: Value, data_format: str, activation: str | Part, use_bias: bool) -> Value:
    """A convolution's result with its bias and activation, and the channels where they were."""
    if use_bias:
        y = scope.op("BiasAdd", y, scope.weight("bias", (channels(y),)), shape=y.shape)
    return channels_back(scope, activate(scope, y, activation), data_format)


# Ops ---------------------------------------------------------------------------------------------


def convolve(
    scope: Scope, x: Value, kernel: Value, strides: Sizes, padding: str, dilations: Sizes, groups: int = 1
) -> Value:
    """The convolution of a series, an image or a volume, channels last; in groups, each of its own channels."""
    if groups == 1:
        return _convolve_once(scope, x, kernel, strides, padding, dilations)
    parts = zip(split(scope, x, groups, -1), split(scope, kernel, groups, -1))
    made = [_convolve_once(scope, part, filters, strides, padding, dilations) for part, filters in parts]
    return concat(scope, made, -1)


def _convolve_once(scope: Scope, x: Value, kernel: Value, strides: Sizes, padding: str, dilations: Sizes) -> Value:
    if x.rank == 5:
        kernel, dilations = dilated(scope, kernel, dilations), (1, 1, 1)
    elif x.rank == 3:
        strides, dilations = (1, *strides), (1, *dilations)
    lifted_x, lifted_kernel = lifted(scope, x), kernel if kernel.rank > 3 else expand(scope, kernel, 0)
    window = lifted_kernel.shape[:-2]
    y = scope.op(
        "Conv3D" if x.rank == 5 else "Conv2D",
        lifted_x,
        lifted_kernel,
        shape=(x.shape[0], *moved(lifted_x.shape[1:-1], _known(window), strides, padding, dilations), kernel.shape[-1]),
        strides=[1, *strides, 1],
        padding=_op_padding(padding),
        dilations=[1, *dilations, 1],
    )
    return squeeze(scope, y, 1) if x.rank == 3 else y


def _convolve_depthwise(scope: Scope, x: Value, kernel: Value, strides: Sizes, padding: str, dilations: Sizes) -> Value:
    if x.rank == 3:  # the stride along the height of 1 is free: one for both
        kernel, strides, dilations = dilated(scope, kernel, dilations), strides * 2, (1, 1)
    lifted_x, lifted_kernel = lifted(scope, x), kernel if kernel.rank > 3 else expand(scope, kernel, 0)
    window = lifted_kernel.shape[:2]
    y = scope.op(
        "DepthwiseConv2dNative",
        lifted_x,
        lifted_kernel,
        shape=(
            x.shape[0],
            *moved(lifted_x.shape[1:-1], _known(window), strides, padding, dilations),
            channels(kernel, -2) * channels(kernel),
        ),
        strides=[1, *strides, 1],
        padding=_op_padding(padding),
        dilations=[1, *dilations, 1],
    )
    return squeeze(scope, y, 1) if x.rank == 3 else y


def dilated(scope: Scope, kernel: Value, dilations: Sizes) -> Value:
    """The kernel with zeros between its elements: TensorFlow's CPU kernels dilate in Conv2D only."""
    for axis, dilation in enumerate(dilations):
        kernel = kernel if dilation == 1 else _dilated_along(scope, kernel, axis, dilation)
    return kernel


def _dilated_along(scope: Scope, kernel: Value, axis: int, dilation: int) -> Value:
    shape = _known(kernel.shape)
    before, length, after = math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
    apart = reshape(scope, kernel, (before, length, 1, after))
    spread = pad(scope, apart, [(0, 0), (0, 0), (0, dilation - 1), (0, 0)])
    joined = reshape(scope, spread, (before, length * dilation, after))
    end = (length - 1) * dilation + 1
    return reshape(scope, slice_(scope, joined, [0, 0, 0], [None, end, None]), (*shape[:axis], end, *shape[axis + 1 :]))


def _known(shape: tuple[int | None, ...]) -> Sizes:
    """The shape of a weight."""
    return tuple(size or 0 for size in shape)


def _op_padding(padding: str) -> str:
    return "SAME" if padding == "same" else "VALID"


LAYERS: Mapping[str, Make] = {
    "Conv1D": _conv,
    "Conv2D": _conv,
    "Conv3D": _conv,
    "DepthwiseConv1D": _depthwise_conv,
    "DepthwiseConv2D": _depthwise_conv,
    "SeparableConv1D": _separable_conv,
    "SeparableConv2D": _separable_conv,
}
