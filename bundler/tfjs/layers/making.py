"""Keras' objects from a description: each layer by its class, each call by its tensors. Runs in Keras' process.

None of Keras' ways to make an object from a configuration is used. What is left of them, for Keras calls them itself,
is disarmed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bundler.tfjs.layers.description import Argument, Call, Layer, Network, Part, Stack, Tensor, Value
from bundler.tfjs.layers.options import KINDS

__all__ = ["disarm", "limited", "make"]

_UNROLLED = 200
"""Steps of a recurrent layer that may stand in the graph one by one; more become a loop with the same numbers."""

_Results = dict[tuple[str, int], list[Any]]
"""The tensors that each call of a layer gave."""


def make(part: Part) -> Any:
    """The layer or the model of tf_keras, its variables zero."""
    import tensorflow as tf
    import tf_keras

    with tf_keras.utils.custom_object_scope(_activations(tf)):
        return _make(part, _classes(tf, tf_keras), tf_keras)


def _make(part: Part, classes: Mapping[str, type], keras: Any) -> Any:
    def own(part: Part) -> Any:
        return _make(part, classes, keras)

    if isinstance(part, Stack):
        return keras.Sequential([own(layer) for layer in part.layers], name=part.name)
    if isinstance(part, Network):
        return _connected(part, {layer.name: own(layer) for layer in part.layers}, keras)
    shape = {} if part.shape is None else {"batch_input_shape": part.shape}
    options = {key: _option(value, own) for key, value in part.options.items()}
    if part.kind not in classes:
        raise ValueError(f"no layer of ours is called {part.kind!r}")
    return classes[part.kind](name=part.name, dtype=part.dtype, **shape, **options)


def _option(value: Value, own: Callable[[Part], Any]) -> Any:
    if isinstance(value, (Layer, Stack, Network)):
        return own(value)
    return [_option(item, own) for item in value] if isinstance(value, tuple) else value


# Calls -------------------------------------------------------------------------------------------


def _connected(network: Network, layers: Mapping[str | None, Any], keras: Any) -> Any:
    """A model of these layers, each called as the description says."""
    results: _Results = {}
    for part in network.layers:
        if isinstance(part, Layer) and part.kind == "InputLayer":
            results[part.name or "", 0] = _flat(layers[part.name].output)
    made: dict[str, int] = {}
    for call in network.calls:
        number = made[call.layer] = made.get(call.layer, -1) + 1
        results[call.layer, number] = _flat(_called(layers[call.layer], call, results))
    ends = [[_tensor(each, results) for each in side] for side in (network.inputs, network.outputs)]
    return keras.Model(*ends, name=network.name)


def _called(layer: Any, call: Call, results: _Results) -> Any:
    inputs = [_tensor(each, results) for each in call.inputs if isinstance(each, Tensor)]
    arguments = {key: _argument(value, results) for key, value in call.arguments.items()}
    return layer(inputs[0] if len(inputs) == 1 else inputs, **arguments)


def _argument(value: Argument, results: _Results) -> Any:
    if isinstance(value, tuple):
        return [_tensor(each, results) for each in value]
    return _tensor(value, results) if isinstance(value, Tensor) else value


def _tensor(tensor: Tensor, results: _Results) -> Any:
    found = results[tensor.layer, tensor.call]
    if tensor.output >= len(found):
        raise ValueError(f"layer {tensor.layer!r} has no output {tensor.output}, only {len(found)}")
    return found[tensor.output]


def _flat(value: Any) -> list[Any]:
    import tensorflow as tf

    flat: list[Any] = tf.nest.flatten(value)
    return flat


# Meaning by origin -------------------------------------------------------------------------------


def _classes(tf: Any, keras: Any) -> dict[str, type]:
    """The classes of all kinds of layers, and of those that mean something else to JavaScript."""

    class JavaScriptUpSampling2D(keras.layers.UpSampling2D):  # type: ignore[misc]
        """TensorFlow.js measures between the corners of pixels, not their centres, when it interpolates."""

        def call(self, images: Any) -> Any:
            if self.interpolation != "bilinear" or self.data_format != "channels_last":
                return super().call(images)
            return tf.compat.v1.image.resize_bilinear(images, tf.shape(images)[1:3] * self.size)

    ours = {"JavaScriptUpSampling2D": JavaScriptUpSampling2D}
    return {kind: getattr(keras.layers, kind) for kind in KINDS} | ours


def _activations(tf: Any) -> dict[str, Callable[[Any], Any]]:
    """Activations that tf_keras does not have, or has in a meaning or form that is not wanted here."""

    def keras_3_hard_sigmoid(x: Any) -> Any:
        return tf.nn.relu6(x + 3) / 6  # Keras 2: 0.2 x + 0.5, cut at 0 and 1

    def gelu(x: Any) -> Any:
        return x * (1 + tf.math.erf(x / math.sqrt(2))) / 2  # with ops that TensorFlow.js has

    def softsign(x: Any) -> Any:
        return x / (1 + tf.abs(x))  # with ops that TensorFlow.js has

    ours = {function.__name__: function for function in (keras_3_hard_sigmoid, gelu, softsign)}
    return {**ours, **{name: getattr(tf.nn, name) for name in ("leaky_relu", "log_softmax", "relu6")}}


# Limits ------------------------------------------------------------------------------------------


@contextmanager
def limited(elements: int) -> Iterator[None]:
    """In here variables are zero and have at most so many elements in all, and only few steps are unrolled.

    ValueError for the variable that is one too many, before it is made.
    """
    import tensorflow as tf
    from tf_keras.src import backend

    unlimited = backend.rnn
    backend.rnn = _of_few_steps(unlimited)
    try:
        with tf.variable_creator_scope(_small_variables(elements)):
            yield
    finally:
        backend.rnn = unlimited


def _small_variables(elements: int) -> Callable[..., Any]:
    import tensorflow as tf

    left = elements

    def create(make: Callable[..., Any], **options: Any) -> Any:
        nonlocal left
        shape = [] if options.get("shape") is None else options["shape"].as_list()
        left -= math.prod(shape)
        if left < 0:
            name, most = options.get("name"), f"the file has weights of {elements} elements"
            raise ValueError(f"the variables up to {name!r} of shape {shape} are larger than all weights: {most}")
        zeros = tf.zeros_initializer()  # the weights come later, and some initializers take long
        return make(**{**options, "initial_value": lambda: zeros(shape, options["dtype"])})

    return create


def _of_few_steps(rnn: Callable[..., Any]) -> Callable[..., Any]:
    import tensorflow as tf

    def limited_rnn(step: Any, inputs: Any, *others: Any, **options: Any) -> Any:
        steps = tf.nest.flatten(inputs)[0].shape[0 if options.get("time_major") else 1]
        unroll = bool(options.get("unroll")) and (steps or 0) <= _UNROLLED
        return rnn(step, inputs, *others, **{**options, "unroll": unroll})

    return limited_rnn


# Disarming ---------------------------------------------------------------------------------------


def disarm() -> None:
    """Take out of Keras what makes objects or code from a configuration that is not ours.

    Keras makes some layers again from the configuration of one that exists (`Bidirectional` does). For that it finds
    the layers of `options`, and initializers; no other class, and none by a module's name.
    """
    from tf_keras.src.layers import serialization as layers
    from tf_keras.src.saving import object_registration, serialization_lib
    from tf_keras.src.saving.legacy.saved_model import json_utils
    from tf_keras.src.utils import generic_utils

    layers.populate_deserializable_objects()
    found = layers.LOCAL.ALL_OBJECTS
    for name in found.keys() - KINDS.keys():
        del found[name]
    object_registration.get_custom_objects().clear()
    serialization_lib._retrieve_class_or_fn = _ours_only(serialization_lib._retrieve_class_or_fn)
    for module, name in ((generic_utils, "func_load"), (json_utils, "_decode_helper"), (json_utils, "decode")):
        setattr(module, name, _refuse)


_MODULES = ("keras.activations", "keras.initializers", "builtins")


def _ours_only(retrieve: Callable[..., Any]) -> Callable[..., Any]:
    def limited_retrieve(name: str, registered_name: str, module: str | None, *others: Any, **options: Any) -> Any:
        is_layer = module == "keras.layers" and name in KINDS
        if is_layer or module in _MODULES or name in (options.get("custom_objects") or ()):
            return retrieve(name, registered_name, module, *others, **options)
        return _refuse()

    return limited_retrieve


def _refuse(*_: object, **__: object) -> Any:
    raise PermissionError("Keras makes no objects or functions of a configuration here")
