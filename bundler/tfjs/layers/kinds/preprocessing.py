"""Preprocessing of numbers and categories.

Sources: tfjs-layers/src/layers/preprocessing,
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/preprocessing,
`keras/src/layers/preprocessing` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bundler.ir.dtypes import DType
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.graph.tensors import cast, expand, floats, reduce
from bundler.tfjs.layers.graph.value import Value

__all__ = ["LAYERS"]

_Numbers = float | tuple[float, ...]


def _rescaling(scope: Scope, x: Value, *, scale: _Numbers, offset: _Numbers) -> Value:
    """The values times `scale`, plus `offset`: each is a number, or a list of one for each channel."""
    factor, more = (np.array(each, np.float32) for each in (scale, offset))
    scaled = scope.op("Mul", floats(scope, x), scope.constant(factor, "scale"))
    return scope.op("AddV2", scaled, scope.constant(more, "offset"))


def _category_encoding(
    scope: Scope, x: Value, *, num_tokens: int, output_mode: str, count_weights: Value | None = None
) -> Value:
    """Which tokens a sample has, or how often, or with what weights in all."""
    if output_mode == "one_hot" and x.shape[-1] != 1:
        x = expand(scope, x, -1)
    tokens = cast(scope, x, DType.int32)
    named = {"depth": num_tokens, "on": 1.0, "off": 0.0}
    ends = [scope.constant(value, f"OneHot/{name}") for name, value in named.items()]
    one_hot = scope.op("OneHot", tokens, *ends, shape=(*x.shape, num_tokens), axis=-1)
    if output_mode != "count":
        return reduce(scope, "Max", one_hot, [-2])
    if count_weights is not None:
        one_hot = scope.op("Mul", one_hot, expand(scope, floats(scope, count_weights), -1))
    return reduce(scope, "Sum", one_hot, [-2])


LAYERS: Mapping[str, Make] = {"CategoryEncoding": _category_encoding, "Rescaling": _rescaling}
