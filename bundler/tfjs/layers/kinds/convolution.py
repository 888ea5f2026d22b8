"""Convolutions.

Sources: tfjs-layers/src/layers/convolutional.ts,
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/convolutional,
`keras/src/layers/convolutional` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Mapping

from bundler.errors import ConversionError
from bundler.nodes import Shape
from bundler.tfjs.layers.description import Part
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.graph.tensors import channels, check_rank, floats, transpose
from bundler.tfjs.layers.graph.value import Value, shown
from bundler.tfjs.layers.kinds.activations import activate

__all__ = ["LAYERS", "channels_back", "channels_last", "moved"]


def _conv_2d(
    scope: Scope,
    x: Value,
    *,
    filters: int,
    kernel_size: tuple[int, ...],
    groups: int,
    strides: tuple[int, ...],
    padding: str,
    data_format: str,
    dilation_rate: tuple[int, ...],
    activation: str | Part,
    use_bias: bool,
) -> Value:
    """A window of weights that moves over height and width."""
    check_rank(x, 4)
    x = channels_last(scope, floats(scope, x), data_format)
    kernel = scope.weight("kernel", (*kernel_size, channels(x), filters))
    y = scope.op(
        "Conv2D",
        x,
        kernel,
        shape=(x.shape[0], *moved(x.shape[1:3], kernel_size, strides, padding, dilation_rate), filters),
        strides=[1, *strides, 1],
        padding=padding.upper(),
        dilations=[1, *dilation_rate, 1],
        data_format="NHWC",
    )
    if use_bias:
        y = scope.op("BiasAdd", y, scope.weight("bias", (filters,)), shape=y.shape, data_format="NHWC")
    return channels_back(scope, activate(scope, y, activation), data_format)


# Windows -----------------------------------------------------------------------------------------


def moved(
    lengths: Shape, window: tuple[int, ...], strides: tuple[int, ...], padding: str, dilations: tuple[int, ...]
) -> Shape:
    """How often a window fits on each axis. ConversionError if it does not fit at all."""
    reach = [(size - 1) * dilation + 1 for size, dilation in zip(window, dilations)]
    counts = [
        None if length is None else -(-length // stride) if padding == "same" else (length - size) // stride + 1
        for length, size, stride in zip(lengths, reach, strides)
    ]
    if any(count is not None and count < 1 for count in counts):
        found, expected = shown(lengths), f"at least {reach}, the size of the window"
        raise ConversionError("the layer's input is too small", found=found, expected=expected)
    return tuple(counts)


def channels_last(scope: Scope, x: Value, data_format: str) -> Value:
    """The value with its channels on the last axis."""
    return transpose(scope, x, (0, *range(2, x.rank), 1)) if data_format == "channels_first" else x


def channels_back(scope: Scope, x: Value, data_format: str) -> Value:
    """The reverse of `channels_last`."""
    return transpose(scope, x, (0, x.rank - 1, *range(1, x.rank - 1))) if data_format == "channels_first" else x


LAYERS: Mapping[str, Make] = {"Conv2D": _conv_2d}
