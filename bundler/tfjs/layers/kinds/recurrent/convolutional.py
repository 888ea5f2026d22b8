"""Recurrent layers whose steps are series, images or volumes: convolutions in place of matrix products.

Sources: tfjs-layers/src/layers/convolutional_recurrent.ts,
https://github.com/keras-team/tf-keras/blob/v2.19.0/tf_keras/src/layers/rnn/base_conv_lstm.py,
`keras/src/layers/rnn/conv_lstm.py` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bundler.drafting.tensors import channels, check_rank, floats, reshape, sizes, times, transpose
from bundler.drafting.value import Value
from bundler.tfjs.layers.description import Part
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.kinds.recurrent.cells import Cell, States, lstm_step
from bundler.tfjs.layers.kinds.recurrent.sequences import once, sequenced
from bundler.tfjs.layers.kinds.spatial.convolution import convolve
from bundler.tfjs.layers.kinds.spatial.windows import Sizes

__all__ = ["LAYERS"]


def _convolutional(
    scope: Scope,
    size: int,
    *,
    filters: int,
    kernel_size: Sizes,
    strides: Sizes,
    padding: str,
    dilation_rate: Sizes,
    activation: str | Part,
    recurrent_activation: str | Part,
    use_bias: bool,
    **_: object,
) -> Cell:
    """An LSTM whose gates are images."""
    kernel = scope.weight("kernel", (*kernel_size, size, 4 * filters))
    recurrent = scope.weight("recurrent_kernel", (*kernel_size, filters, 4 * filters))
    bias = scope.weight("bias", (4 * filters,)) if use_bias else None
    ones = (1,) * len(kernel_size)

    def read(scope: Scope, x: Value) -> Value:
        outer = sizes(scope, x)[: -len(kernel_size) - 1]
        images = reshape(scope, x, (times(scope, *outer), *sizes(scope, x)[len(outer) :]))
        gates = convolve(scope, images, kernel, strides, padding, dilation_rate)
        if bias is not None:
            gates = scope.op("BiasAdd", gates, bias, shape=gates.shape)
        return reshape(scope, gates, (*outer, *sizes(scope, gates)[1:]))

    def step(scope: Scope, x: Value, states: States) -> tuple[Value, States]:
        gates = scope.op("AddV2", x, convolve(scope, states[0], recurrent, ones, "same", ones))
        return lstm_step(scope, gates, states[1], activation, recurrent_activation)

    return Cell((filters, filters), filters, read, step)


def _conv_lstm(
    scope: Scope,
    x: Value,
    *states: Value,
    kernel_size: Sizes,
    data_format: str,
    zero_output_for_mask: bool,
    **options: Any,
) -> tuple[Value, ...]:
    """A recurrent layer of such cells."""
    rank = len(kernel_size)
    check_rank(x, rank + 3)
    x, *given = (_channels_last(scope, floats(scope, value), rank, data_format) for value in (x, *states))
    inside = scope.inside("conv_lstm_cell")
    cell = _convolutional(inside, channels(x), kernel_size=kernel_size, **options).at("conv_lstm_cell")
    zeroes = zero_output_for_mask and scope.origin.zeroes_images
    outputs = sequenced(scope, cell, x, tuple(given), time_major=False, zero_output_for_mask=zeroes, **options)
    return tuple(_channels_back(scope, output, rank, data_format) for output in outputs)


def _cell(
    scope: Scope, x: Value, *states: Value, kernel_size: Sizes, data_format: str, **options: Any
) -> tuple[Value, ...]:
    """Such a cell, called as a layer."""
    rank = len(kernel_size)
    x, *given = (_channels_last(scope, floats(scope, value), rank, data_format) for value in (x, *states))
    cell = _convolutional(scope, channels(x), kernel_size=kernel_size, **options)
    return tuple(_channels_back(scope, output, rank, data_format) for output in once(scope, cell, x, tuple(given)))


def _channels_last(scope: Scope, x: Value, rank: int, data_format: str) -> Value:
    """The channels behind the last `rank` axes."""
    outer = x.rank - rank - 1
    order = (*range(outer), *range(outer + 1, x.rank), outer)
    return transpose(scope, x, order).masked(x.mask) if data_format == "channels_first" else x


def _channels_back(scope: Scope, x: Value, rank: int, data_format: str) -> Value:
    """The reverse of `_channels_last`."""
    outer = x.rank - rank - 1
    order = (*range(outer), x.rank - 1, *range(outer, x.rank - 1))
    return transpose(scope, x, order).masked(x.mask) if data_format == "channels_first" else x


LAYERS: Mapping[str, Make] = {
    "ConvLSTM1D": _conv_lstm,
    "ConvLSTM2D": _conv_lstm,
    "ConvLSTM3D": _conv_lstm,
    "ConvLSTM2DCell": _cell,
}
