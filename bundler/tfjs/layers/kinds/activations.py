"""Activations: as an option of a layer, and as the layer `Activation`.

Sources: tfjs-layers/src/activations.ts, `keras/src/activations/activations.py` of Keras 3,
https://github.com/keras-team/tf-keras/blob/v2.19.0/tf_keras/src/activations.py
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from bundler.drafting.tensors import floats
from bundler.drafting.value import Value
from bundler.tfjs.layers.description import Layer, Part
from bundler.tfjs.layers.graph.scope import Make, Scope

__all__ = ["ACTIVATIONS", "LAYERS", "activate"]


def activate(scope: Scope, x: Value, activation: str | Part) -> Value:
    """What an option `activation` makes of a value: the name of a function, or a layer."""
    if isinstance(activation, Layer):
        part = scope.inside(activation.name or activation.kind.lower())
        return part.apply(activation, x)[0]
    assert isinstance(activation, str)
    return ACTIVATIONS[scope.origin.activations.get(activation, activation)](scope, x)


def _activation(scope: Scope, x: Value, *, activation: str | Part) -> Value:
    """The layer `Activation`."""
    return activate(scope, x, activation)


# Functions ---------------------------------------------------------------------------------------


def _op(op: str) -> Callable[[Scope, Value], Value]:
    """An activation that is an op of TensorFlow."""
    return lambda scope, x: scope.op(op, floats(scope, x))


def _gelu(scope: Scope, x: Value) -> Value:
    """X Φ(x), Φ by way of the error function."""
    distribution = scope.op("Add", scope.op("Erf", scope.op("Mul", x, math.sqrt(0.5))), 1)
    return scope.op("Mul", x, scope.op("Mul", distribution, 0.5))


def _gelu_new(scope: Scope, x: Value) -> Value:
    """X Φ(x), Φ by way of tanh."""
    cube = scope.op("Mul", scope.op("Mul", scope.op("Square", x), x), 0.044715)
    inner = scope.op("Mul", scope.op("AddV2", x, cube), math.sqrt(2 / math.pi))
    return scope.op("Mul", scope.op("Mul", scope.op("AddV2", scope.op("Tanh", inner), 1), x), 0.5)


def _hard_sigmoid(scope: Scope, x: Value) -> Value:
    """0.2 x + 0.5, cut at 0 and 1."""
    line = scope.op("AddV2", scope.op("Mul", x, 0.2), 0.5)
    return scope.op("Minimum", scope.op("Relu", line), 1)


def _keras_3_hard_sigmoid(scope: Scope, x: Value) -> Value:
    """X / 6 + 0.5, cut at 0 and 1."""
    return scope.op("RealDiv", scope.op("Relu6", scope.op("AddV2", x, 3)), 6)


def _leaky_relu(scope: Scope, x: Value) -> Value:
    return scope.op("LeakyRelu", x, alpha=0.2)


def _mish(scope: Scope, x: Value) -> Value:
    return scope.op("Mul", x, scope.op("Tanh", scope.op("Softplus", x)))


def _softsign(scope: Scope, x: Value) -> Value:
    return scope.op("RealDiv", x, scope.op("AddV2", scope.op("Abs", x), 1))


def _swish(scope: Scope, x: Value) -> Value:
    return scope.op("Mul", x, scope.op("Sigmoid", x))


def _linear(scope: Scope, x: Value) -> Value:
    return x


def _hard_silu(scope: Scope, x: Value) -> Value:
    return scope.op("Mul", x, _keras_3_hard_sigmoid(scope, x))


def _hard_tanh(scope: Scope, x: Value) -> Value:
    return scope.op("Maximum", scope.op("Minimum", x, 1), -1)


def _hard_shrink(scope: Scope, x: Value) -> Value:
    """Zero from -0.5 to 0.5."""
    return scope.op("SelectV2", scope.op("Greater", scope.op("Abs", x), 0.5), x, scope.op("ZerosLike", x))


def _soft_shrink(scope: Scope, x: Value) -> Value:
    """0.5 nearer to zero, but not beyond."""
    return scope.op("Mul", scope.op("Sign", x), scope.op("Relu", scope.op("Sub", scope.op("Abs", x), 0.5)))


def _tanh_shrink(scope: Scope, x: Value) -> Value:
    return scope.op("Sub", x, scope.op("Tanh", x))


def _log_sigmoid(scope: Scope, x: Value) -> Value:
    return scope.op("Neg", scope.op("Softplus", scope.op("Neg", x)))


def _sparse_plus(scope: Scope, x: Value) -> Value:
    """A parabola from -1 to 1, that joins zero and the value itself."""
    near = scope.op("Square", scope.op("Mul", scope.op("AddV2", _hard_tanh(scope, x), 1), 0.5))
    return scope.op("AddV2", near, scope.op("Relu", scope.op("Sub", x, 1)))


def _squareplus(scope: Scope, x: Value) -> Value:
    root = scope.op("Sqrt", scope.op("AddV2", scope.op("Square", x), 4))
    return scope.op("Mul", scope.op("AddV2", x, root), 0.5)


ACTIVATIONS: Mapping[str, Callable[[Scope, Value], Value]] = {
    "celu": _op("Elu"),
    "elu": _op("Elu"),
    "exponential": _op("Exp"),
    "gelu": _gelu,
    "gelu_new": _gelu_new,
    "hard_shrink": _hard_shrink,
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": _hard_silu,
    "hard_tanh": _hard_tanh,
    "keras_3_hard_sigmoid": _keras_3_hard_sigmoid,
    "leaky_relu": _leaky_relu,
    "linear": _linear,
    "log_sigmoid": _log_sigmoid,
    "log_softmax": _op("LogSoftmax"),
    "mish": _mish,
    "relu": _op("Relu"),
    "relu6": _op("Relu6"),
    "selu": _op("Selu"),
    "sigmoid": _op("Sigmoid"),
    "silu": _swish,
    "soft_shrink": _soft_shrink,
    "softmax": _op("Softmax"),
    "softplus": _op("Softplus"),
    "softsign": _softsign,
    "sparse_plus": _sparse_plus,
    "squareplus": _squareplus,
    "swish": _swish,
    "tanh": _op("Tanh"),
    "tanh_shrink": _tanh_shrink,
}

LAYERS: Mapping[str, Make] = {"Activation": _activation}
