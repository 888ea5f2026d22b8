"""Layers models: configurations as Keras and TensorFlow.js write them, with fields of any kind."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.mutate import STRANGE

__all__ = ["configurations"]

_CLASSES = [
    "Dense",
    "Conv2D",
    "Conv1D",
    "DepthwiseConv2D",
    "SeparableConv2D",
    "BatchNormalization",
    "LayerNormalization",
    "Flatten",
    "Reshape",
    "Dropout",
    "Activation",
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "Softmax",
    "MaxPooling2D",
    "GlobalAveragePooling2D",
    "Add",
    "Concatenate",
    "Dot",
    "Embedding",
    "LSTM",
    "GRU",
    "SimpleRNN",
    "Bidirectional",
    "TimeDistributed",
    "RNN",
    "InputLayer",
    "Permute",
    "RepeatVector",
    "UpSampling2D",
    "ZeroPadding2D",
    "Lambda",
    "TFOpLambda",
    "Sequential",
    "Functional",
    "Model",
    "Masking",
    "Rescaling",
    "NoSuchLayer",
]
_FIELDS = [
    "units",
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "data_format",
    "dilation_rate",
    "activation",
    "use_bias",
    "kernel_initializer",
    "kernel_regularizer",
    "kernel_constraint",
    "bias_initializer",
    "input_shape",
    "batch_input_shape",
    "batch_shape",
    "dtype",
    "name",
    "trainable",
    "axis",
    "epsilon",
    "momentum",
    "rate",
    "alpha",
    "pool_size",
    "target_shape",
    "dims",
    "n",
    "return_sequences",
    "layer",
    "cell",
    "input_dim",
    "output_dim",
    "mode",
    "function",
    "config",
    "class_name",
    "__passive_serialization__",
    "layers",
    "registered_name",
    "module",
]
_USUAL = st.sampled_from(
    [2, 3, [3, 3], [None, 4], "same", "valid", "relu", "linear", "channels_last", True, 0.5, "float32", None, -1, {}]
)
_STRANGE = st.integers(0, len(STRANGE) - 1).map(STRANGE.__getitem__)
_SERIALIZED = st.builds(
    lambda kind, config: {"class_name": kind, "config": config},
    st.sampled_from(
        ["GlorotUniform", "Zeros", "L2", "MaxNorm", "Policy", "DTypePolicy", "Lambda", "Sequential", "slice"]
    ),
    st.dictionaries(st.sampled_from(["name", "l2", "seed", "layers", "function"]), _STRANGE, max_size=2),
)
_VALUES = _USUAL | _USUAL | _SERIALIZED | _STRANGE
_NAMES = st.sampled_from(["a", "b", "c", "a", "", "a/b", "x" * 300, 3])


def _layer(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    config = st.dictionaries(st.sampled_from(_FIELDS), _VALUES | inner, max_size=6)
    return st.fixed_dictionaries(
        {"class_name": st.sampled_from(_CLASSES), "config": config},
        optional={"name": _NAMES, "inbound_nodes": _INBOUND, "registered_name": _VALUES, "module": _VALUES},
    )


_POINTS = st.tuples(
    _NAMES, st.integers(0, 1), st.integers(0, 1), st.dictionaries(_NAMES.map(str), _VALUES, max_size=1)
).map(list)
_INBOUND = st.lists(st.lists(_POINTS | _STRANGE, max_size=2), max_size=2) | _VALUES
_LAYERS = st.recursive(_layer(st.nothing()), _layer, max_leaves=4)
_MODELS = st.fixed_dictionaries(
    {"class_name": st.sampled_from(["Sequential", "Functional", "Model", "Nonsense"])},
    optional={
        "config": st.fixed_dictionaries(
            {"layers": st.lists(_LAYERS, max_size=4) | _VALUES},
            optional={
                "name": _NAMES,
                "input_layers": _INBOUND,
                "output_layers": _INBOUND,
                "build_input_shape": _VALUES,
            },
        )
        | st.lists(_LAYERS, max_size=3),
        "keras_version": _VALUES,
    },
)


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of a layers model without weights, as Python or JavaScript writes it."""
    model = draw(_MODELS)
    topology = {"model_config": model, "keras_version": "2.15.0"} if draw(st.booleans()) else model
    return {"model.json": json.dumps({"modelTopology": topology, "weightsManifest": []}).encode()}
