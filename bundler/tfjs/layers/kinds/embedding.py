"""Tokens to vectors, and masks.

Sources: tfjs-layers/src/layers/embeddings.ts and core.ts,
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/core, `keras/src/layers/core` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Mapping

from bundler.drafting.tensors import cast, reduce
from bundler.drafting.value import Value
from bundler.ir.dtypes import DType
from bundler.tfjs.layers.graph.scope import Make, Scope

__all__ = ["LAYERS"]


def _embedding(scope: Scope, x: Value, *, input_dim: int, output_dim: int, mask_zero: bool, **_: object) -> Value:
    """A vector for each token. With `mask_zero`, token 0 is no step."""
    table = scope.weight("embeddings", (input_dim, output_dim))
    tokens = x if x.dtype == DType.int64 else cast(scope, x, DType.int32)
    y = scope.op("GatherV2", table, tokens, scope.constant(0, "GatherV2/axis"), shape=(*x.shape, output_dim))
    return y.masked(scope.op("NotEqual", x, 0) if mask_zero else None)


def _masking(scope: Scope, x: Value, *, mask_value: float) -> Value:
    """Steps whose values all are `mask_value` are masked, and zero."""
    found = scope.op("NotEqual", x, mask_value)
    kept = reduce(scope, "Any", found, [-1], keep=True)
    return scope.op("Mul", x, cast(scope, kept, x.dtype)).masked(reduce(scope, "Any", found, [-1]))


LAYERS: Mapping[str, Make] = {"Embedding": _embedding, "Masking": _masking}
