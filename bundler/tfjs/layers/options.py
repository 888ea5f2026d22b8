"""The layers and their options: the type of each field and its default, by the names of Keras 2.

A layer that is not here is refused, and so is a field that its layer does not have. The defaults are those of Keras 2:
Keras 3 and TensorFlow.js write every field whose default differs.

Sources: `get_config` of the layers in `tf_keras/src/layers`, in `keras/src/layers` and in `tfjs-layers/src/layers`.
"""

from __future__ import annotations

from collections.abc import Mapping

from bundler.tfjs.layers import readers
from bundler.tfjs.layers.readers import flag, maybe, number, numbers, one_of, pairs, sizes, whole, wholes
from bundler.tfjs.layers.schema import Activation, Field, Inside, Options

__all__ = [
    "ACTIVATIONS",
    "AS_ACTIVATIONS",
    "CELLS",
    "CONVOLUTIONAL",
    "IMAGES_OF_TRAINING",
    "KINDS",
    "RECURRENT",
]


ACTIVATIONS = (
    *("celu", "elu", "exponential", "gelu", "gelu_new", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh"),
    *("leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu"),
    *(
        "sigmoid",
        "silu",
        "soft_shrink",
        "softmax",
        "softplus",
        "softsign",
        "sparse_plus",
        "squareplus",
        "swish",
        "tanh",
        "tanh_shrink",
    ),
)
"""Names of activations. `Origin.activations` has those that mean something else to the library that wrote the model."""
AS_ACTIVATIONS = frozenset(["ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU", "Softmax"])
CELLS = frozenset(["SimpleRNNCell", "GRUCell", "LSTMCell"])
_ANY: frozenset[str] = frozenset()
"""Layers of all kinds, and models."""
CONVOLUTIONAL = frozenset(["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"])
RECURRENT = frozenset(["RNN", "SimpleRNN", "GRU", "LSTM", *CONVOLUTIONAL])

# Fields of several layers ------------------------------------------------------------------------

_SIZE = Field(whole(1))
_RATE = Field(number)
_DATA_FORMAT: Options = {"data_format": Field(one_of("channels_last", "channels_first"), "channels_last")}
_LINEAR: Options = {"activation": Activation("linear"), "use_bias": Field(flag, True)}
_SCALED: Options = {"epsilon": Field(number, 1e-3), "center": Field(flag, True), "scale": Field(flag, True)}
_DROPPED: Options = {"dropout": Field(number, 0.0), "recurrent_dropout": Field(number, 0.0)}
_IMPLEMENTATION: Options = {"implementation": Field(lambda value: max(1, whole(0, 2)(value)), 2)}
_AXIS = whole(-readers.RANK, readers.RANK)
_AXES = wholes(-readers.RANK, readers.RANK)


def _moving(rank: int, *paddings: str) -> Options:
    """A window that moves over `rank` dimensions."""
    return {
        "strides": Field(sizes(rank), (1,) * rank),
        "padding": Field(one_of("valid", "same", *paddings), "valid"),
        **_DATA_FORMAT,
        "dilation_rate": Field(sizes(rank), (1,) * rank),
        **_LINEAR,
    }


def _conv(rank: int, *paddings: str) -> Options:
    kernel = {"filters": _SIZE, "kernel_size": Field(sizes(rank)), "groups": Field(whole(1), 1)}
    return {**kernel, **_moving(rank, *paddings)}


def _transposed(rank: int) -> Options:
    return {**_conv(rank), "output_padding": Field(maybe(sizes(rank, 0)), None)}


def _depthwise(rank: int) -> Options:
    return {
        "kernel_size": Field(sizes(rank)),
        "groups": Field(whole(1), 1),
        "depth_multiplier": Field(whole(1), 1),
        **_moving(rank),
    }


def _pool(rank: int) -> Options:
    return {
        "pool_size": Field(sizes(rank), (2,) * rank),
        "strides": Field(maybe(sizes(rank)), None),
        "padding": Field(one_of("valid", "same"), "valid"),
        **_DATA_FORMAT,
    }


def _cell(**more: Field | Activation) -> Options:
    return {"units": _SIZE, "activation": Activation("tanh"), "use_bias": Field(flag, True), **_DROPPED, **more}


def _conv_lstm(rank: int) -> Options:
    return {
        "filters": _SIZE,
        "kernel_size": Field(sizes(rank)),
        **_moving(rank),
        "activation": Activation("tanh"),
        "recurrent_activation": Activation("hard_sigmoid"),
        "unit_forget_bias": Field(flag, True),
        **_DROPPED,
    }


_RESET_AFTER = Field(flag, False)
"""Every writer that has this option writes it. Earlier ones computed without; Keras 2 takes true for a missing one."""
_GRU: Options = {
    **_cell(recurrent_activation=Activation("sigmoid"), reset_after=_RESET_AFTER),
    **_IMPLEMENTATION,
}
_LSTM: Options = {
    **_cell(recurrent_activation=Activation("sigmoid"), unit_forget_bias=Field(flag, True)),
    **_IMPLEMENTATION,
}
_STEPS: Options = {
    name: Field(flag, False)
    for name in (
        *("return_sequences", "return_state", "go_backwards", "stateful"),
        *("unroll", "time_major", "zero_output_for_mask"),
    )
}
_IMAGE_STEPS: Options = {name: field for name, field in _STEPS.items() if name != "time_major"}
_ATTENTION: Options = {"dropout": Field(number, 0.0), "causal": Field(flag, False)}
_GLOBAL: Options = {**_DATA_FORMAT, "keepdims": Field(flag, False)}
_MERGE: Options = {}

IMAGES_OF_TRAINING: Mapping[str, frozenset[str]] = {
    "RandomBrightness": frozenset(["factor", "value_range", "data_format"]),
    "RandomContrast": frozenset(["factor", "value_range", "data_format"]),
    "RandomFlip": frozenset(["mode", "data_format"]),
    **dict.fromkeys(
        ["RandomRotation", "RandomTranslation", "RandomZoom"],
        frozenset(
            [
                *("factor", "height_factor", "width_factor", "fill_mode", "fill_value", "interpolation", "data_format"),
            ]
        ),
    ),
}
"""Layers that change images in training only, and their fields."""

# The layers --------------------------------------------------------------------------------------

KINDS: Mapping[str, Options] = {
    "InputLayer": {},
    "Dense": {"units": _SIZE, **_LINEAR},
    "EinsumDense": {
        "equation": Field(readers.equation),
        "output_shape": Field(readers.shape_or_size),
        "bias_axes": Field(maybe(readers.letters), None),
        "activation": Activation("linear"),
    },
    "Activation": {"activation": Activation("linear")},
    "Dropout": {"rate": _RATE},
    "Flatten": _DATA_FORMAT,
    "Reshape": {"target_shape": Field(readers.target)},
    "Permute": {"dims": Field(lambda value: tuple(whole(1, readers.RANK)(item) for item in readers.items(value)))},
    "RepeatVector": {"n": _SIZE},
    "Masking": {"mask_value": Field(number, 0.0)},
    "Embedding": {
        "input_dim": _SIZE,
        "output_dim": _SIZE,
        "mask_zero": Field(flag, False),
        "input_length": Field(maybe(wholes(1)), None),
    },
    "Conv1D": _conv(1, "causal"),
    "Conv2D": _conv(2),
    "Conv3D": _conv(3),
    "Conv1DTranspose": _transposed(1),
    "Conv2DTranspose": _transposed(2),
    "Conv3DTranspose": {key: field for key, field in _transposed(3).items() if key != "dilation_rate"},
    "SeparableConv1D": {**_conv(1, "causal"), "depth_multiplier": Field(whole(1), 1)},
    "SeparableConv2D": {**_conv(2), "depth_multiplier": Field(whole(1), 1)},
    "DepthwiseConv1D": _depthwise(1),
    "DepthwiseConv2D": _depthwise(2),
    "Cropping1D": {"cropping": Field(pairs(1), ((1, 1),))},
    "Cropping2D": {"cropping": Field(pairs(2), ((0, 0),) * 2), **_DATA_FORMAT},
    "Cropping3D": {"cropping": Field(pairs(3), ((1, 1),) * 3), **_DATA_FORMAT},
    "UpSampling1D": {"size": Field(sizes(1), (2,))},
    "UpSampling2D": {
        "size": Field(sizes(2), (2, 2)),
        **_DATA_FORMAT,
        "interpolation": Field(
            one_of("nearest", "bilinear", "bicubic", "area", "gaussian", "lanczos3", "lanczos5", "mitchellcubic"),
            "nearest",
        ),
    },
    "UpSampling3D": {"size": Field(sizes(3), (2,) * 3), **_DATA_FORMAT},
    "ZeroPadding1D": {"padding": Field(pairs(1), ((1, 1),)), **_DATA_FORMAT},
    "ZeroPadding2D": {"padding": Field(pairs(2), ((1, 1),) * 2), **_DATA_FORMAT},
    "ZeroPadding3D": {"padding": Field(pairs(3), ((1, 1),) * 3), **_DATA_FORMAT},
    "MaxPooling1D": _pool(1),
    "MaxPooling2D": _pool(2),
    "MaxPooling3D": _pool(3),
    "AveragePooling1D": _pool(1),
    "AveragePooling2D": _pool(2),
    "AveragePooling3D": _pool(3),
    "GlobalMaxPooling1D": _GLOBAL,
    "GlobalMaxPooling2D": _GLOBAL,
    "GlobalMaxPooling3D": _GLOBAL,
    "GlobalAveragePooling1D": _GLOBAL,
    "GlobalAveragePooling2D": _GLOBAL,
    "GlobalAveragePooling3D": _GLOBAL,
    "Add": _MERGE,
    "Average": _MERGE,
    "Maximum": _MERGE,
    "Minimum": _MERGE,
    "Multiply": _MERGE,
    "Subtract": _MERGE,
    "Concatenate": {"axis": Field(_AXIS, -1)},
    "Dot": {"axes": Field(_AXES), "normalize": Field(flag, False)},
    "ReLU": {
        "max_value": Field(maybe(number), None),
        "negative_slope": Field(number, 0.0),
        "threshold": Field(number, 0.0),
    },
    "LeakyReLU": {"alpha": Field(number, 0.3)},
    "PReLU": {"shared_axes": Field(maybe(wholes(1, readers.RANK)), None)},
    "ELU": {"alpha": Field(number, 1.0)},
    "ThresholdedReLU": {"theta": Field(number, 1.0)},
    "Softmax": {"axis": Field(_AXES, -1)},
    "BatchNormalization": {"axis": Field(_AXES, -1), "momentum": Field(number, 0.99), **_SCALED},
    "LayerNormalization": {"axis": Field(_AXES, -1), **_SCALED},
    "GroupNormalization": {"groups": Field(whole(-1), 32), "axis": Field(_AXIS, -1), **_SCALED},
    "RMSNormalization": {"axis": Field(_AXES, -1), "epsilon": Field(number, 1e-6)},
    "UnitNormalization": {"axis": Field(_AXES, -1)},
    "GaussianNoise": {"stddev": _RATE},
    "GaussianDropout": {"rate": _RATE},
    "AlphaDropout": {"rate": _RATE},
    "SpatialDropout1D": {"rate": _RATE},
    "SpatialDropout2D": {"rate": _RATE, **_DATA_FORMAT},
    "SpatialDropout3D": {"rate": _RATE, **_DATA_FORMAT},
    "ActivityRegularization": {"l1": Field(number, 0.0), "l2": Field(number, 0.0)},
    "Identity": {},
    **{kind: {} for kind in IMAGES_OF_TRAINING},
    "RNN": {"cell": Inside(CELLS | {"StackedRNNCells"}), **_STEPS},
    "SimpleRNN": {**_cell(), **_STEPS},
    "GRU": {**_GRU, **_STEPS},
    "LSTM": {**_LSTM, **_STEPS},
    "ConvLSTM1D": {**_conv_lstm(1), **_IMAGE_STEPS},
    "ConvLSTM2D": {**_conv_lstm(2), **_IMAGE_STEPS},
    "ConvLSTM3D": {**_conv_lstm(3), **_IMAGE_STEPS},
    "ConvLSTM2DCell": _conv_lstm(2),
    "SimpleRNNCell": _cell(),
    "GRUCell": _GRU,
    "LSTMCell": _LSTM,
    "StackedRNNCells": {"cells": Inside(CELLS | {"StackedRNNCells"}, many=True)},
    "Bidirectional": {
        "layer": Inside(RECURRENT),
        "backward_layer": Inside(RECURRENT, optional=True),
        "merge_mode": Field(one_of("concat", "sum", "mul", "ave", None), "concat", takes_null=True),
    },
    "TimeDistributed": {"layer": Inside(_ANY)},
    "Attention": {"use_scale": Field(flag, False), "score_mode": Field(one_of("dot", "concat"), "dot"), **_ATTENTION},
    "AdditiveAttention": {"use_scale": Field(flag, True), **_ATTENTION},
    "MultiHeadAttention": {
        "num_heads": _SIZE,
        "key_dim": _SIZE,
        "value_dim": Field(maybe(whole(1)), None),
        "use_bias": Field(flag, True),
        "output_shape": Field(maybe(wholes(1)), None),
        "attention_axes": Field(maybe(_AXES), None),
        "dropout": Field(number, 0.0),
    },
    "Normalization": {
        "axis": Field(maybe(_AXES), (-1,), takes_null=True),
        "mean": Field(maybe(readers.nested), None),
        "variance": Field(maybe(readers.nested), None),
        "invert": Field(flag, False),
    },
    "Rescaling": {"scale": Field(numbers), "offset": Field(numbers, 0.0)},
    "Resizing": {
        "height": _SIZE,
        "width": _SIZE,
        "interpolation": Field(
            one_of("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"),
            "bilinear",
        ),
        "crop_to_aspect_ratio": Field(flag, False),
    },
    "CenterCrop": {"height": _SIZE, "width": _SIZE},
    "CategoryEncoding": {
        "num_tokens": _SIZE,
        "output_mode": Field(one_of("multi_hot", "one_hot", "count"), "multi_hot"),
    },
}
"""The layers of TensorFlow.js, less `RandomWidth`, which gives another width each time, and more of Keras."""
