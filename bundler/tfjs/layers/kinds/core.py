"""Core layers.

Sources: tfjs-layers/src/layers/core.ts, https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/core,
`keras/src/layers/core` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Mapping

from bundler.drafting.tensors import channels, floats, reshape, sizes, times
from bundler.drafting.value import Value
from bundler.tfjs.layers.description import Part
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.kinds.activations import activate

__all__ = ["LAYERS", "matmul"]


def _identity(scope: Scope, x: Value, **_: object) -> Value:
    """An input of the model, or a layer that does something in training only."""
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


LAYERS: Mapping[str, Make] = {
    "Dense": _dense,
    **dict.fromkeys(
        [
            *("InputLayer", "ActivityRegularization", "Identity"),
            *("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
            *("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
            *("RandomBrightness", "RandomContrast", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom"),
        ],
        _identity,
    ),
}
