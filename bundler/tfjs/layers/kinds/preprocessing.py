"""Preprocessing of numbers and categories.

Sources: tfjs-layers/src/layers/preprocessing,
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/preprocessing,
`keras/src/layers/preprocessing` of Keras 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from bundler.drafting.tensors import axis_of, cast, channels, expand, floats, reduce, reshape
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.tfjs.layers.graph.scope import Make, Scope

__all__ = ["LAYERS"]

_Numbers = float | tuple[float, ...]
_Nested = float | tuple[Any, ...]


def _rescaling(scope: Scope, x: Value, *, scale: _Numbers, offset: _Numbers) -> Value:
    """The values times `scale`, plus `offset`: each is a number, or a list of one for each channel."""
    factor, more = (np.array(each, np.float32) for each in (scale, offset))
    scaled = scope.op("Mul", floats(scope, x), scope.constant(factor, "scale"))
    return scope.op("AddV2", scaled, scope.constant(more, "offset"))


def _normalization(
    scope: Scope,
    x: Value,
    *,
    axis: int | tuple[int, ...] | None,
    mean: _Nested | None,
    variance: _Nested | None,
    invert: bool,
) -> Value:
    """The values by a mean and a variance, which training has found or the file states; or the way back."""
    x = floats(scope, x)
    axes = () if axis is None else axis if isinstance(axis, tuple) else (axis,)
    kept = {axis_of(x, each) for each in axes}
    sizes = [channels(x, each) if each in kept else 1 for each in range(x.rank)]
    center = _statistic(scope, "mean", mean, sizes, kept)
    spread = scope.op("Maximum", scope.op("Sqrt", _statistic(scope, "variance", variance, sizes, kept)), 1e-7)
    if mean is None:
        scope.weight("count", (), DType.int32)  # of the samples that were seen
    if invert:
        return scope.op("AddV2", center, scope.op("Mul", x, spread))
    return scope.op("RealDiv", scope.op("Sub", x, center), spread)


def _statistic(scope: Scope, name: str, stated: _Nested | None, sizes: list[int], kept: set[int]) -> Value:
    """A mean or a variance with the rank of the input."""
    shape = [sizes[axis] for axis in sorted(kept)]
    if stated is None:
        return reshape(scope, scope.weight(name, shape), sizes)
    numbers = np.array(stated, np.float32)
    if numbers.size not in (1, math.prod(shape)):
        found, expected = f"{numbers.size} numbers", f"one, or {shape}"
        raise ConversionError(f"the {name} does not fit the input", found=found, expected=expected)
    return scope.constant(numbers.reshape([1] * len(sizes) if numbers.size == 1 else sizes), name)


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


LAYERS: Mapping[str, Make] = {
    "CategoryEncoding": _category_encoding,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
}
