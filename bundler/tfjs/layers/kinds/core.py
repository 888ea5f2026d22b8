"""Core layers.

Sources: tfjs-layers/src/layers/core.ts, https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/core,
`keras/src/layers/core` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Mapping

from bundler.tfjs.layers.description import Part
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.graph.tensors import channels, floats, reshape, sizes, times, transpose
from bundler.tfjs.layers.graph.value import Value
from bundler.tfjs.layers.kinds.activations import activate

__all__ = ["LAYERS", "matmul"]


def _identity(scope: Scope, x: Value, **_: object) -> Value:
    """A layer that does something in training only, or that is an input of the model."""
    return x


def _dense(scope: Scope, x: Value, *, units: int, activation: str | Part, use_bias: bool) -> Value:
    """The last axis times a matrix, plus a bias."""
    x = floats(scope, x)
    y = matmul(scope, x, scope.weight("kernel", (channels(x), units)))
    if use_bias:
        y = scope.op("BiasAdd", y, scope.weight("bias", (units,)), shape=y.shape)
    return activate(scope, y, activation)


def matmul(scope: Scope, x: Value, kernel: Value) -> Value:
    """The last axis of `x` times a matrix; other axes count as one."""
    units = channels(kernel)
    if x.rank == 2:
        return scope.op("MatMul", x, kernel, shape=(x.shape[0], units))
    outer = sizes(scope, x)[:-1]
    rows = scope.op("MatMul", reshape(scope, x, (times(scope, *outer), channels(x))), kernel, shape=(None, units))
    return reshape(scope, rows, (*outer, units))


def _flatten(scope: Scope, x: Value, *, data_format: str) -> Value:
    """All axes but the first as one; the channels stand last before."""
    if data_format == "channels_first" and x.rank > 1:
        x = transpose(scope, x, (0, *range(2, x.rank), 1))
    batch, *rest = sizes(scope, x)
    return reshape(scope, x, (batch, times(scope, *rest)))


LAYERS: Mapping[str, Make] = {
    "InputLayer": _identity,
    "Dropout": _identity,
    "Dense": _dense,
    "Flatten": _flatten,
}
