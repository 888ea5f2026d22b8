"""Pooling.

Sources: tfjs-layers/src/layers/pooling.ts,
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/pooling, `keras/src/layers/pooling` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from bundler.drafting.tensors import cast, expand, reduce, squeeze
from bundler.drafting.value import Value
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.kinds.spatial.windows import Sizes, channels_back, image, lifted, moved

__all__ = ["LAYERS"]


def _pool(
    op: str, scope: Scope, x: Value, *, pool_size: Sizes, strides: Sizes | None, padding: str, data_format: str
) -> Value:
    """The largest or the mean value in a window; a mean does not count what padding adds."""
    x = image(scope, x, len(pool_size), data_format)
    window, steps = pool_size, strides or pool_size
    if x.rank == 3:
        window, steps = (1, *window), (1, *steps)
    lifted_x = lifted(scope, x)
    y = scope.op(
        f"{op}3D" if x.rank == 5 else op,
        lifted_x,
        shape=(x.shape[0], *moved(lifted_x.shape[1:-1], window, steps, padding), x.shape[-1]),
        ksize=[1, *window, 1],
        strides=[1, *steps, 1],
        padding=padding.upper(),
    )
    return channels_back(scope, squeeze(scope, y, 1) if x.rank == 3 else y, data_format)


def _pool_all(op: str, rank: int, scope: Scope, x: Value, *, data_format: str, keepdims: bool) -> Value:
    """The largest or the mean value of each channel."""
    x = image(scope, x, rank, data_format)
    mask = x.mask if op == "Mean" and rank == 1 and scope.origin.means_without_masked else None
    axes = range(1, rank + 1)
    y = reduce(scope, op, x, axes, keepdims) if mask is None else _masked_mean(scope, x, mask, keepdims)
    return channels_back(scope, y, data_format) if keepdims else y


def _masked_mean(scope: Scope, x: Value, mask: Value, keepdims: bool) -> Value:
    """The mean of the steps that are not masked."""
    kept = expand(scope, cast(scope, mask, x.dtype), -1)
    total = reduce(scope, "Sum", scope.op("Mul", x, kept), [1], keepdims)
    return scope.op("RealDiv", total, reduce(scope, "Sum", kept, [1], keepdims))


_POOLS = {"Max": "MaxPool", "Average": "AvgPool"}
_REDUCTIONS = {"Max": "Max", "Average": "Mean"}

LAYERS: Mapping[str, Make] = {
    **{f"{name}Pooling{rank}D": partial(_pool, op) for name, op in _POOLS.items() for rank in (1, 2, 3)},
    **{
        f"Global{name}Pooling{rank}D": partial(_pool_all, op, rank)
        for name, op in _REDUCTIONS.items()
        for rank in (1, 2, 3)
    },
}
