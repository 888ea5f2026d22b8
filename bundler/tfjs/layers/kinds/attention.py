"""Attention.

Sources: https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/attention,
`keras/src/layers/attention` of Keras 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from functools import reduce as fold

from bundler.drafting.tensors import (
    axis_of,
    cast,
    channels,
    check_rank,
    expand,
    floats,
    reduce,
    reshape,
    size,
    sizes,
    times,
    transpose,
)
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.shapes import shown
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.kinds.core import matmul

__all__ = ["LAYERS"]


# One head ----------------------------------------------------------------------------------------


def _attention(
    scope: Scope,
    query: Value,
    value: Value,
    key: Value | None = None,
    *,
    use_scale: bool,
    score_mode: str,
    causal: bool,
    use_causal_mask: bool = False,
    return_attention_scores: bool = False,
    **_: object,
) -> tuple[Value, ...]:
    """The values that fit a query, by the products of query and keys, or by their sums."""
    q, v, k = _inputs(scope, query, value, key)
    scale = scope.weight("scale", ()) if use_scale else None
    if score_mode == "dot":
        scores = _products(scope, q, k)
        scores = scores if scale is None else scope.op("Mul", scores, scale)
    else:
        weight = scope.weight("concat_score_weight", ())
        both = _sums(scope, q, k)
        both = both if scale is None else scope.op("Mul", both, scale)
        scores = scope.op("Mul", reduce(scope, "Sum", scope.op("Tanh", both), [-1]), weight)
    return _attended(scope, query, value, v, scores, causal or use_causal_mask, return_attention_scores)


def _additive_attention(
    scope: Scope,
    query: Value,
    value: Value,
    key: Value | None = None,
    *,
    use_scale: bool,
    causal: bool,
    use_causal_mask: bool = False,
    return_attention_scores: bool = False,
    **_: object,
) -> tuple[Value, ...]:
    """The values that fit a query, by weighted sums of query and keys."""
    q, v, k = _inputs(scope, query, value, key)
    both = scope.op("Tanh", _sums(scope, q, k))
    both = scope.op("Mul", both, scope.weight("scale", (channels(q),))) if use_scale else both
    scores = reduce(scope, "Sum", both, [-1])
    return _attended(scope, query, value, v, scores, causal or use_causal_mask, return_attention_scores)


def _inputs(scope: Scope, query: Value, value: Value, key: Value | None) -> tuple[Value, Value, Value]:
    given = (query, value, value if key is None else key)
    for each in given:
        check_rank(each, 3)
    q, v, k = (floats(scope, each) for each in given)
    return q, v, k


def _sums(scope: Scope, query: Value, key: Value) -> Value:
    """The sum of each query and each key: (batch, queries, keys, channels)."""
    return scope.op("AddV2", expand(scope, query, 2), expand(scope, key, 1))


def _products(scope: Scope, query: Value, key: Value) -> Value:
    """The products of queries and keys over the last axis: (…, queries, keys)."""
    shape = (*query.shape[:-1], key.shape[-2])
    return scope.op("BatchMatMulV2", query, key, shape=shape, adj_y=True)


def _weighted(scope: Scope, weights: Value, value: Value) -> Value:
    return scope.op("BatchMatMulV2", weights, value, shape=(*weights.shape[:-1], value.shape[-1]))


def _attended(
    scope: Scope, query: Value, value: Value, v: Value, scores: Value, causal: bool, with_scores: bool
) -> tuple[Value, ...]:
    masks = [] if value.mask is None else [expand(scope, value.mask, 1)]
    masks += [_causal_mask(scope, scores)] if causal else []
    weights = _masked_softmax(scope, scores, masks)
    result = _weighted(scope, weights, v)
    if query.mask is not None:
        result = scope.op("Mul", result, expand(scope, cast(scope, query.mask, result.dtype), -1))
    result = result.masked(query.mask)
    return (result, weights) if with_scores else (result,)


def _causal_mask(scope: Scope, scores: Value) -> Value:
    """Whether a key does not come after its query."""
    rows, columns = (_positions(scope, scores, axis) for axis in (-2, -1))
    return scope.op("GreaterEqual", expand(scope, rows, 1), expand(scope, columns, 0))


def _positions(scope: Scope, scores: Value, axis: int) -> Value:
    length = size(scope, scores, axis)
    end = scope.constant(length, "Range/limit") if isinstance(length, int) else length
    bounds = (scope.constant(0, "Range/start"), end, scope.constant(1, "Range/delta"))
    return scope.op("Range", *bounds, shape=(scores.shape[axis],))


def _masked_softmax(scope: Scope, scores: Value, masks: list[Value], zeroes: bool = False) -> Value:
    """Scores as shares of one. What a mask excludes loses so much that its share is zero.

    If a query may look at no key, all keys have equal shares, or zero if `zeroes`.
    """
    if not masks:
        return scope.op("Softmax", scores)
    kept = cast(scope, fold(partial(scope.op, "LogicalAnd"), masks), scores.dtype)
    excluded = scope.op("Mul", scope.op("Sub", 1, kept), 1e9)
    weights = scope.op("Softmax", scope.op("Sub", scores, excluded))
    return scope.op("Mul", weights, kept) if zeroes else weights


# Many heads --------------------------------------------------------------------------------------


def _multi_head_attention(
    scope: Scope,
    query: Value,
    value: Value,
    key: Value | None = None,
    *,
    num_heads: int,
    key_dim: int,
    value_dim: int | None,
    use_bias: bool,
    dropout: float,
    output_shape: int | tuple[int, ...] | None,
    attention_axes: int | tuple[int, ...] | None,
    attention_mask: Value | None = None,
    use_causal_mask: bool = False,
    return_attention_scores: bool = False,
    **_: object,
) -> tuple[Value, ...]:
    """Attention in several subspaces at a time."""
    axes = _attended_axes(query, attention_axes)
    given = (query, value, value if key is None else key)
    q, v, k = (_steps(scope, floats(scope, each), axes) for each in given)
    heads = _Heads(scope, num_heads, use_bias)
    queries = heads.project("query", q, key_dim)
    keys = heads.project("key", k, key_dim)
    values = heads.project("value", v, value_dim or key_dim)
    scores = _products(scope, scope.op("Mul", queries, 1 / math.sqrt(key_dim)), keys)
    masks = _masks_of_heads(scope, query, value, key, attention_mask)
    if query.rank > 3 and (masks or use_causal_mask or return_attention_scores):
        raise ConversionError("attention with masks or scores needs inputs of 3 dimensions", found=shown(query.shape))
    masks += [_causal_mask(scope, scores)] if use_causal_mask else []
    zeroes = scope.origin.zeroes_excluded and (dropout > 0 or return_attention_scores)
    weights = _masked_softmax(scope, scores, masks, zeroes)
    joined = heads.join(_weighted(scope, weights, values), _output_size(output_shape, q))
    result = _unfolded(scope, joined, query, axes).masked(query.mask)
    return (result, weights) if return_attention_scores else (result,)


def _masks_of_heads(
    scope: Scope, query: Value, value: Value, key: Value | None, attention_mask: Value | None
) -> list[Value]:
    """What a query of a head may look at: (batch, 1 or heads, queries, keys), with sizes of 1."""
    masks = [] if query.mask is None else [expand(scope, expand(scope, query.mask, 1), -1)]
    keyed = [each.mask for each in (value, key) if each is not None and each.mask is not None]
    masks += [expand(scope, expand(scope, mask, 1), 1) for mask in keyed]
    if attention_mask is not None:
        mask = cast(scope, attention_mask, DType.bool)
        masks.append(mask if mask.rank == 4 else expand(scope, mask, 1))
    return masks


def _attended_axes(query: Value, axes: int | tuple[int, ...] | None) -> tuple[int, ...]:
    """The axes along which the steps lie: all between the batch and the channels if the layer names none."""
    if axes is None:
        return tuple(range(1, query.rank - 1))
    named = tuple(axis_of(query, axis) for axis in (axes if isinstance(axes, tuple) else (axes,)))
    if not named or len({*named}) < len(named) or {0, query.rank - 1} & {*named}:
        expected = "different axes between the batch and the channels"
        raise ConversionError("attention over axes that the input does not have", found=str(axes), expected=expected)
    return named


def _ordered(x: Value, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of the input with those of the steps right before the channels."""
    return (0, *(axis for axis in range(1, x.rank - 1) if axis not in axes), *axes, x.rank - 1)


def _steps(scope: Scope, x: Value, axes: tuple[int, ...]) -> Value:
    """The input as (batch, steps, channels): axes without attention become part of the batch."""
    check_rank(x, *range(max(axes, default=1) + 2, 9))
    if x.rank == 3:
        return x
    moved = transpose(scope, x, _ordered(x, axes))
    *outer, depth = sizes(scope, moved)
    batch, steps = outer[: -len(axes)], outer[-len(axes) :]
    return reshape(scope, moved, (times(scope, *batch), times(scope, *steps), depth))


def _unfolded(scope: Scope, y: Value, query: Value, axes: tuple[int, ...]) -> Value:
    """The reverse of `_steps`, with the sizes of the query and the channels of `y`."""
    if query.rank == 3:
        return y
    order, whole = _ordered(query, axes), sizes(scope, query)
    apart = reshape(scope, y, (*(whole[axis] for axis in order[:-1]), channels(y)))
    return transpose(scope, apart, [order.index(axis) for axis in range(query.rank)])


def _output_size(output_shape: int | tuple[int, ...] | None, query: Value) -> int:
    if output_shape is None:
        return channels(query)
    shape = (output_shape,) if isinstance(output_shape, int) else output_shape
    if len(shape) != 1:
        raise ConversionError("the layer makes several axes of one", found=str(list(shape)), expected="one size")
    return shape[0]


class _Heads:
    """The weights of the heads."""

    def __init__(self, scope: Scope, count: int, use_bias: bool) -> None:
        self._scope = scope
        self._count = count
        self._use_bias = use_bias

    def project(self, name: str, x: Value, width: int) -> Value:
        """The input as each head sees it: (batch, heads, steps, width)."""
        scope = self._scope.inside(name)
        depth, total = channels(x), self._count * width
        kernel = scope.weight("kernel", (depth, self._count, width))
        y = matmul(scope, x, reshape(scope, kernel, (depth, total)))
        if self._use_bias:
            bias = reshape(scope, scope.weight("bias", (self._count, width)), (total,))
            y = scope.op("BiasAdd", y, bias, shape=y.shape)
        batch, steps, _ = sizes(scope, y)
        return transpose(scope, reshape(scope, y, (batch, steps, self._count, width)), (0, 2, 1, 3))

    def join(self, x: Value, width: int) -> Value:
        """The results of all heads as one: (batch, steps, width)."""
        scope = self._scope.inside("attention_output")
        by_step, depth = transpose(scope, x, (0, 2, 1, 3)), channels(x)
        batch, steps, *_ = sizes(scope, by_step)
        flat = reshape(scope, by_step, (batch, steps, self._count * depth))
        kernel = scope.weight("kernel", (self._count, depth, width))
        y = matmul(scope, flat, reshape(scope, kernel, (self._count * depth, width)))
        return scope.op("BiasAdd", y, scope.weight("bias", (width,)), shape=y.shape) if self._use_bias else y


LAYERS: Mapping[str, Make] = {
    "AdditiveAttention": _additive_attention,
    "Attention": _attention,
    "MultiHeadAttention": _multi_head_attention,
}
