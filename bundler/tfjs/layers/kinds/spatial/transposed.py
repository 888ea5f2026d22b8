"""Transposed convolutions.

Sources: tfjs-layers/src/layers/convolutional.ts,
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/convolutional,
`keras/src/layers/convolutional/base_conv_transpose.py` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Mapping

from bundler.drafting.tensors import Size, channels, expand, plus, size, squeeze, static, times, vector
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.tfjs.layers.description import Part
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.kinds.activations import activate
from bundler.tfjs.layers.kinds.spatial.convolution import dilated
from bundler.tfjs.layers.kinds.spatial.windows import Sizes, channels_back, image, lifted

__all__ = ["LAYERS"]


def _conv_transpose(
    scope: Scope,
    x: Value,
    *,
    filters: int,
    kernel_size: Sizes,
    strides: Sizes,
    padding: str,
    data_format: str,
    activation: str | Part,
    use_bias: bool,
    output_padding: Sizes | None,
    dilation_rate: Sizes | None = None,
    **_: object,
) -> Value:
    """What a convolution with these strides does backwards: the image grows."""
    x = image(scope, x, len(kernel_size), data_format)
    rates = (1,) * len(kernel_size)
    if dilation_rate is not None and scope.origin.dilates_transposed:
        rates = dilation_rate
    kernel = dilated(scope, scope.weight("kernel", (*kernel_size, filters, channels(x))), rates)
    y = _convolve_back(scope, x, kernel, strides, padding, _lengths(scope, x, kernel, strides, padding, output_padding))
    if use_bias:
        y = scope.op("BiasAdd", y, scope.weight("bias", (filters,)), shape=y.shape)
    return channels_back(scope, activate(scope, y, activation), data_format)


def _lengths(
    scope: Scope, x: Value, kernel: Value, strides: Sizes, padding: str, output_padding: Sizes | None
) -> list[Size]:
    """The sizes of the image that comes out.

    `deconv_output_length` in https://github.com/keras-team/tf-keras/blob/v2.19.0/tf_keras/src/utils/conv_utils.py
    """
    lengths: list[Size] = []
    for axis, stride in enumerate(strides):
        window = channels(kernel, axis)
        if output_padding is not None:
            more = window - stride - (2 * (window // 2) if padding == "same" else 0) + output_padding[axis]
        else:
            more = max(window - stride, 0) if padding == "valid" else 0
        _check_growth(window, stride, padding, more)
        lengths.append(plus(scope, times(scope, size(scope, x, axis + 1), stride), more))
    return lengths


def _check_growth(window: int, stride: int, padding: str, more: int) -> None:
    """ConversionError if a convolution over the image that comes out would not give the size of the one that came in.

    TensorFlow refuses such a size when it runs, or ends the process if it has oneDNN.
    """
    least = 1 - stride if padding == "same" else window - stride
    if not least <= more < least + stride:
        found = f"{more} besides {stride} times its size"
        raise ConversionError(
            "the layer makes an image of an impossible size", found=found, expected=f"at least {least}"
        )


def _convolve_back(scope: Scope, x: Value, kernel: Value, strides: Sizes, padding: str, lengths: list[Size]) -> Value:
    batch, filters = size(scope, x, 0), channels(kernel, -2)
    if x.rank == 3:
        strides, lengths, kernel = (1, *strides), [1, *lengths], expand(scope, kernel, 0)
    y = scope.op(
        "Conv3DBackpropInputV2" if x.rank == 5 else "Conv2DBackpropInput",
        vector(scope, [batch, *lengths, filters], "output_shape"),
        kernel,
        lifted(scope, x),
        shape=static([batch, *lengths, filters]),
        strides=[1, *strides, 1],
        padding=padding.upper(),
    )
    return squeeze(scope, y, 1) if x.rank == 3 else y


LAYERS: Mapping[str, Make] = {
    "Conv1DTranspose": _conv_transpose,
    "Conv2DTranspose": _conv_transpose,
    "Conv3DTranspose": _conv_transpose,
}
