"""The configuration of a Keras model, in the form that tf_keras reads: Keras 2's.

Python writes it, Keras 2 and Keras 3 each in its own form, and JavaScript does, in nearly that of Keras 2. Only layers
that TensorFlow.js has are let through: others, `Lambda` above all, would run code that came with the model.

Sources: `keras/src/saving/serialization_lib.py` and `keras/src/models/functional.py` of Keras 3,
`tf_keras/src/engine/functional.py`, and `tfjs-layers/src/layers/serialization.ts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from bundler.errors import ConversionError, within
from bundler.tfjs import fields
from bundler.tfjs.fields import Json

__all__ = ["LAYERS", "MODELS", "translate"]

MODELS = ("Functional", "Model", "Sequential")
"""Layers that are made of layers."""
LAYERS = frozenset(
    [
        "InputLayer",
        "Functional",
        "Model",
        "Sequential",
        "Dense",
        "Activation",
        "Dropout",
        "Flatten",
        "Reshape",
        "Permute",
        "RepeatVector",
        "Masking",
        "Embedding",
        "Conv1D",
        "Conv2D",
        "Conv3D",
        "Conv2DTranspose",
        "Conv3DTranspose",
        "SeparableConv2D",
        "DepthwiseConv2D",
        "Cropping2D",
        "UpSampling2D",
        "ZeroPadding2D",
        "MaxPooling1D",
        "MaxPooling2D",
        "MaxPooling3D",
        "AveragePooling1D",
        "AveragePooling2D",
        "AveragePooling3D",
        "GlobalMaxPooling1D",
        "GlobalMaxPooling2D",
        "GlobalAveragePooling1D",
        "GlobalAveragePooling2D",
        "Add",
        "Average",
        "Concatenate",
        "Dot",
        "Maximum",
        "Minimum",
        "Multiply",
        "ReLU",
        "LeakyReLU",
        "PReLU",
        "ELU",
        "ThresholdedReLU",
        "Softmax",
        "BatchNormalization",
        "LayerNormalization",
        "GaussianNoise",
        "GaussianDropout",
        "AlphaDropout",
        "SpatialDropout1D",
        "RNN",
        "SimpleRNN",
        "GRU",
        "LSTM",
        "ConvLSTM2D",
        "SimpleRNNCell",
        "GRUCell",
        "LSTMCell",
        "StackedRNNCells",
        "Bidirectional",
        "TimeDistributed",
        "Rescaling",
        "Resizing",
        "CenterCrop",
        "CategoryEncoding",
    ]
)
"""The layers of TensorFlow.js that tf_keras has, too, less `RandomWidth`, which gives another width each time."""

_OF_TRAINING = ("_regularizer", "_constraint")
"""How the names of fields end that only say how to train."""
_NOT_IN_KERAS_2 = {"optional", "seed", "quantization_config", "build_input_shape"}
"""Fields that say nothing of what a trained model computes."""
_OF_RNN = {
    *("name", "trainable", "dtype", "batch_input_shape", "batch_shape"),
    *("cell", "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "time_major"),
}
"""The fields of an RNN: JavaScript writes those of its cell besides."""
_RENAMED = {"batch_shape": "batch_input_shape"}
_RENAMED_IN = {("LeakyReLU", "negative_slope"): "alpha"}
"""Fields of Keras 3 that Keras 2 calls otherwise, in every layer and in one."""
_ONLY_ACCEPTED = {
    ("Resizing", "antialias"): False,
    ("Resizing", "pad_to_aspect_ratio"): False,
    ("Resizing", "fill_mode"): "constant",
    ("Resizing", "fill_value"): 0.0,
    ("Resizing", "data_format"): "channels_last",
    ("CenterCrop", "data_format"): "channels_last",
    ("LayerNormalization", "rms_scaling"): False,
}
"""Fields of Keras 3 that Keras 2 lacks, and the value under which both do the same."""


class _Dialect(NamedTuple):
    """What a writer of configurations means otherwise than Keras 2.

    `names` are of activations and layers that compute something else under that name. A model that is a layer of
    another counts its own outputs as its first node, except in Keras 3: `first_node` is what is to be added there.
    """

    names: Mapping[str, str] = {}
    first_node: int = 0


_DIALECTS = {
    "3.": _Dialect({"hard_sigmoid": "keras_3_hard_sigmoid"}, first_node=1),
    "tfjs-layers": _Dialect({"UpSampling2D": "JavaScriptUpSampling2D"}),
}
"""By how `keras_version` begins. The names on the right are explained in `keras`."""


def translate(topology: Json) -> Json:
    """The model of a `modelTopology`, as Keras 2 writes its configuration.

    ConversionError for a layer that TensorFlow.js does not have, or a form that no version of Keras writes.
    """
    version = str(topology.get("keras_version"))
    dialect = next((dialect for start, dialect in _DIALECTS.items() if version.startswith(start)), _Dialect())
    return _layer(fields.table(topology, "model_config") or topology, dialect)


def _layer(entry: Json, dialect: _Dialect) -> Json:
    """A layer or a model, with its place in the model around it."""
    kind = fields.text(entry, "class_name")
    config = entry.get("config")
    own_name = config.get("name", "") if isinstance(config, Mapping) else ""
    with within(f"layer {own_name!r}"):
        if kind not in LAYERS:
            raise ConversionError(
                "Keras layers of this kind cannot be imported", found=repr(kind), expected="one that TensorFlow.js has"
            )
        name = dialect.names.get(kind, kind)
        return {"class_name": name, "config": _config(kind, config, dialect), **_place(entry)}


def _place(entry: Json) -> Json:
    return {key: entry[key] for key in ("name", "inbound_nodes") if key in entry}


def _config(kind: str, config: object, dialect: _Dialect) -> object:
    """What is in a layer. A Sequential of old has no more than the list of its layers."""
    if kind in MODELS:
        return _model({"layers": config} if isinstance(config, list) else fields.of(dict, config, "'config'"), dialect)
    return dict(_fields(kind, fields.of(dict, config, "'config'"), dialect))


def _fields(kind: str, config: Json, dialect: _Dialect) -> Iterator[tuple[str, object]]:
    for key, value in config.items():
        if kind == "RNN" and key not in _OF_RNN:
            continue
        if (kind, key) in _ONLY_ACCEPTED:
            _check_neutral(kind, key, value)
        elif key not in _NOT_IN_KERAS_2 and not key.endswith(_OF_TRAINING):
            name = _RENAMED_IN.get((kind, key)) or _RENAMED.get(key, key)
            yield name, _field(name, value, dialect)


def _check_neutral(kind: str, key: str, value: object) -> None:
    if value != _ONLY_ACCEPTED[kind, key]:
        expected = f"{key}={_ONLY_ACCEPTED[kind, key]}"
        raise ConversionError(f"{kind} with a setting that Keras 2 lacks", found=f"{key}={value}", expected=expected)


def _field(key: str, value: object, dialect: _Dialect) -> object:
    if key.endswith("_initializer"):
        return value and "zeros"  # the weights come later, and some initializers take long
    if key == "dtype":
        return _dtype(value)
    if key == "target_shape":  # of a Reshape; JavaScript writes null for the size that is to be found
        return [-1 if size is None else size for size in fields.of(list, value, repr(key))]
    made = _value(value, dialect)
    if key.endswith("activation") and isinstance(made, str):
        return dialect.names.get(made, made)
    return made


def _value(value: object, dialect: _Dialect) -> object:
    """Any value: layers may stand in others, alone or in lists."""
    if isinstance(value, list):
        return [_value(item, dialect) for item in value]
    if not isinstance(value, dict) or "class_name" not in value:
        return value
    return value["config"] if isinstance(value.get("config"), str) else _layer(value, dialect)


def _dtype(value: object) -> object:
    """The name of a dtype; a policy has one in its configuration. TensorFlow.js computes in float32, mixed or not."""
    name = fields.table(value, "config").get("name") if isinstance(value, dict) else value
    return "float32" if isinstance(name, str) and name.startswith("mixed_") else name


# Which tensor goes where -------------------------------------------------------------------------


def _model(config: Json, dialect: _Dialect) -> Json:
    """Layers and their connections, which is all that a model needs."""
    layers = [_layer(entry, dialect) for entry in fields.tables(config, "layers")]
    nested = {layer.get("name"): dialect.first_node for layer in layers if layer["class_name"] in MODELS}
    if config.get("build_input_shape") and layers and layers[0]["class_name"] not in ("InputLayer", *MODELS):
        # Only the model knows; tf_keras asks its first layer.
        layers[0]["config"].setdefault("batch_input_shape", config["build_input_shape"])
    ends = {side: config[side] for side in ("input_layers", "output_layers") if side in config}
    return {
        **({"name": config["name"]} if "name" in config else {}),
        "layers": [_connected(layer, nested) for layer in layers],
        **{side: [_counted(point, nested) for point in _points(value)] for side, value in ends.items()},
    }


def _connected(layer: Json, nested: Mapping[object, int]) -> Json:
    if "inbound_nodes" not in layer:
        return layer
    nodes = fields.of(list, layer["inbound_nodes"], "'inbound_nodes'")
    return {**layer, "inbound_nodes": [_call(node, nested) if isinstance(node, dict) else node for node in nodes]}


def _call(node: Json, nested: Mapping[object, int]) -> list[Any]:
    """One call of a layer: Keras 3 writes its arguments, with a configuration for each tensor."""
    args = fields.of(list, node.get("args"), "'args'")
    if len(args) != 1:
        raise ConversionError("a layer is called in a way that Keras 2 cannot write", found=f"{len(args)} arguments")
    kwargs = {key: _argument(value, nested) for key, value in fields.table(node, "kwargs").items() if value is not None}
    return [[*point, kwargs] for point in _tensors(args[0], nested)]


def _tensors(argument: object, nested: Mapping[object, int]) -> Iterator[list[Any]]:
    """The tensors of an argument: one, or a list of them."""
    for item in argument if isinstance(argument, list) else [argument]:
        history = fields.table(fields.table({"tensor": item}, "tensor"), "config").get("keras_history")
        yield _counted(fields.of(list, history, "'keras_history'"), nested)


def _argument(value: object, nested: Mapping[object, int]) -> object:
    if isinstance(value, list):
        return [_argument(item, nested) for item in value]
    return next(_tensors(value, nested)) if isinstance(value, dict) and "class_name" in value else value


def _points(value: object) -> Iterable[object]:
    """`[layer, node, tensor]`, a list of them, or an object with them for values."""
    if isinstance(value, Mapping):
        value = list(value.values())
    listed = fields.of(list, value, "a list of tensors")
    return [listed] if listed and isinstance(listed[0], str) else listed


def _counted(point: object, nested: Mapping[object, int]) -> list[Any]:
    """`[layer, node, tensor]`, the node counted as Keras 2 does."""
    spelled = fields.of(list, point, "a tensor")
    if len(spelled) < 3:
        raise ConversionError("a tensor lacks its layer, node or number", found=str(spelled))
    layer, node, *rest = spelled
    return [fields.of(str, layer, "a layer's name"), fields.integer(node) + nested.get(layer, 0), *rest]
