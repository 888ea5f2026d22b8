"""The layers and their options: the type of each field and its default, by the names of Keras 2.

A layer that is not here is refused, and so is a field that its layer does not have. The defaults are those of Keras 2:
Keras 3 and TensorFlow.js write every field whose default differs.

Sources: `get_config` of the layers in `tf_keras/src/layers`, in `keras/src/layers` and in `tfjs-layers/src/layers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from bundler.tfjs.layers import readers
from bundler.tfjs.layers.description import Value
from bundler.tfjs.layers.readers import Reader, flag, maybe, number, numbers, one_of, pairs, sizes, whole, wholes

__all__ = [
    "ACTIVATIONS",
    "AS_ACTIVATIONS",
    "IGNORED",
    "IGNORED_ENDINGS",
    "KINDS",
    "NEUTRAL",
    "REQUIRED",
    "Activation",
    "Field",
    "Inside",
    "Options",
    "Required",
]


class Required(Enum):
    """The default of a field that has none."""

    REQUIRED = 0


REQUIRED = Required.REQUIRED


class Field(NamedTuple):
    """A field that holds a plain value; null stands for the default, unless it is a value of its own."""

    read: Reader
    default: Value | Required = REQUIRED
    takes_null: bool = False


class Activation(NamedTuple):
    """A field that holds the name of an activation, or a layer that has no more than one."""

    default: str | None


class Inside(NamedTuple):
    """A field that holds a layer of one of these kinds, or a list of them."""

    kinds: frozenset[str]
    many: bool = False
    optional: bool = False


Options = Mapping[str, "Field | Activation | Inside"]

ACTIVATIONS = (
    *("elu", "exponential", "gelu", "gelu_new", "hard_sigmoid", "leaky_relu", "linear", "log_softmax", "mish"),
    *("relu", "relu6"),
    *("selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh"),
)
"""Names of activations. `configuration` makes another name of those that mean something else to their writer."""
AS_ACTIVATIONS = frozenset(["ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU", "Softmax"])
_CELLS = frozenset(["SimpleRNNCell", "GRUCell", "LSTMCell"])
_ANY: frozenset[str] = frozenset()
"""Layers of all kinds, and models."""
_CONVOLUTIONAL = frozenset(["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"])
_RECURRENT = frozenset(["RNN", "SimpleRNN", "GRU", "LSTM", *_CONVOLUTIONAL])

# Fields of several layers ------------------------------------------------------------------------

_SIZE = Field(whole(1))
_RATE = Field(number)
_DATA_FORMAT: Options = {"data_format": Field(one_of("channels_last", "channels_first"), "channels_last")}
_LINEAR: Options = {"activation": Activation("linear"), "use_bias": Field(flag, True)}
_SCALED: Options = {"epsilon": Field(number, 1e-3), "center": Field(flag, True), "scale": Field(flag, True)}
_DROPPED: Options = {"dropout": Field(number, 0.0), "recurrent_dropout": Field(number, 0.0)}
_IMPLEMENTATION: Options = {"implementation": Field(lambda value: max(1, whole(0, 2)(value)), 2)}
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


_GRU: Options = {
    **_cell(recurrent_activation=Activation("sigmoid"), reset_after=Field(flag, True)),
    **_IMPLEMENTATION,
}
_LSTM: Options = {
    **_cell(recurrent_activation=Activation("sigmoid"), unit_forget_bias=Field(flag, True)),
    **_IMPLEMENTATION,
}
_STEPS: Options = {
    name: Field(flag, False)
    for name in ("return_sequences", "return_state", "go_backwards", "unroll", "time_major", "zero_output_for_mask")
}
_IMAGE_STEPS: Options = {name: field for name, field in _STEPS.items() if name != "time_major"}
_GLOBAL: Options = {**_DATA_FORMAT, "keepdims": Field(flag, False)}
_MERGE: Options = {}

# The layers --------------------------------------------------------------------------------------

KINDS: Mapping[str, Options] = {
    "InputLayer": {},
    "Dense": {"units": _SIZE, **_LINEAR},
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
    "Conv2DTranspose": _transposed(2),
    "Conv3DTranspose": {key: field for key, field in _transposed(3).items() if key != "dilation_rate"},
    "SeparableConv2D": {**_conv(2), "depth_multiplier": Field(whole(1), 1)},
    "DepthwiseConv2D": {
        "kernel_size": Field(sizes(2)),
        "groups": Field(whole(1), 1),
        "depth_multiplier": Field(whole(1), 1),
        **_moving(2),
    },
    "Cropping2D": {"cropping": Field(pairs, ((0, 0), (0, 0))), **_DATA_FORMAT},
    "UpSampling2D": {
        "size": Field(sizes(2), (2, 2)),
        **_DATA_FORMAT,
        "interpolation": Field(
            one_of("nearest", "bilinear", "bicubic", "area", "gaussian", "lanczos3", "lanczos5", "mitchellcubic"),
            "nearest",
        ),
    },
    "ZeroPadding2D": {"padding": Field(pairs, ((1, 1), (1, 1))), **_DATA_FORMAT},
    "MaxPooling1D": _pool(1),
    "MaxPooling2D": _pool(2),
    "MaxPooling3D": _pool(3),
    "AveragePooling1D": _pool(1),
    "AveragePooling2D": _pool(2),
    "AveragePooling3D": _pool(3),
    "GlobalMaxPooling1D": _GLOBAL,
    "GlobalMaxPooling2D": _GLOBAL,
    "GlobalAveragePooling1D": _GLOBAL,
    "GlobalAveragePooling2D": _GLOBAL,
    "Add": _MERGE,
    "Average": _MERGE,
    "Maximum": _MERGE,
    "Minimum": _MERGE,
    "Multiply": _MERGE,
    "Concatenate": {"axis": Field(whole(-readers.RANK, readers.RANK), -1)},
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
    "GaussianNoise": {"stddev": _RATE},
    "GaussianDropout": {"rate": _RATE},
    "AlphaDropout": {"rate": _RATE},
    "SpatialDropout1D": {"rate": _RATE},
    "RNN": {"cell": Inside(_CELLS | {"StackedRNNCells"}), **_STEPS},
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
    "StackedRNNCells": {"cells": Inside(_CELLS | {"StackedRNNCells"}, many=True)},
    "Bidirectional": {
        "layer": Inside(_RECURRENT),
        "backward_layer": Inside(_RECURRENT, optional=True),
        "merge_mode": Field(one_of("concat", "sum", "mul", "ave", None), "concat", takes_null=True),
    },
    "TimeDistributed": {"layer": Inside(_ANY)},
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
"""The layers of TensorFlow.js that tf_keras has, too, less `RandomWidth`, which gives another width each time."""

# Fields that are not options ---------------------------------------------------------------------

NEUTRAL: Mapping[str, Mapping[str, Value]] = {
    "InputLayer": {"sparse": False, "ragged": False},
    "Conv3DTranspose": {"dilation_rate": (1, 1, 1)},
    "Resizing": {
        "antialias": False,
        "pad_to_aspect_ratio": False,
        "fill_mode": "constant",
        "fill_value": 0.0,
        "data_format": "channels_last",
    },
    "CenterCrop": {"data_format": "channels_last"},
    "CategoryEncoding": {"sparse": False},
    "LayerNormalization": {"rms_scaling": False},
    "BatchNormalization": {"renorm": False, "virtual_batch_size": None},
    **{kind: {"stateful": False, "num_constants": 0} for kind in _RECURRENT},
    **{kind: {"stateful": False, "num_constants": 0, "time_major": False} for kind in _CONVOLUTIONAL},
    "Bidirectional": {"num_constants": 0},
}
"""Fields that must have this value: another one asks for something that Keras 2 lacks, or that no bundle can do."""

IGNORED_ENDINGS = ("_initializer", "_regularizer", "_constraint")
"""How the names of fields end that only say how to begin or to go on training: the weights are those of the file."""
IGNORED: Mapping[str, frozenset[str]] = {
    "": frozenset(["trainable", "optional", "seed", "noise_shape", "quantization_config", "implementation"]),
    "BatchNormalization": frozenset(["renorm_clipping", "renorm_momentum", "synchronized", "fused"]),
    "RNN": frozenset({"cells", "filters", "kernel_size"}.union(*(KINDS[kind] for kind in _CELLS))),
}
"""Fields without a bearing on what a trained model computes, in all layers and in one. They are not read.

TensorFlow.js writes the fields of a cell into its RNN besides.
"""
