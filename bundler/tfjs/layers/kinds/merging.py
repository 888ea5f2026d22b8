"""Layers that make one tensor of several.

Sources: tfjs-layers/src/layers/merge.ts,
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/merging, `keras/src/layers/merging` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from functools import reduce as fold

import numpy as np

from bundler.drafting.tensors import (
    axis_of,
    cast,
    concat,
    expand,
    floats,
    reduce,
    reshape,
    size,
    sizes,
    times,
    transpose,
)
from bundler.drafting.value import Operand, Value, broadcast
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.shapes import shown
from bundler.tfjs.layers.graph.scope import Make, Scope

__all__ = ["LAYERS"]


# Element by element ------------------------------------------------------------------------------


def _merge(op: str, scope: Scope, x: Value, *others: Value) -> Value:
    """One op over all inputs, from left to right; those of fewer axes get more behind the first one."""
    inputs = _of_one_kind(scope, [x, *others])
    merged = fold(lambda one, other: scope.op(op, one, other), _of_one_rank(scope, inputs))
    return merged.masked(_mask(scope, [x, *others]))


def _average(scope: Scope, x: Value, *others: Value) -> Value:
    """The mean of all inputs."""
    total = _merge("AddV2", scope, floats(scope, x), *others)
    return scope.op("RealDiv", total, 1 + len(others)).masked(total.mask)


def _product_of_kept(scope: Scope, x: Value, *others: Value) -> Value:
    """The product of all inputs; what the mask of an input excludes counts as one."""
    inputs = [x, *others]
    if not scope.origin.merges_without_masked or all(value.mask is None for value in inputs):
        return _merge("Mul", scope, *inputs)
    product = _merge("Mul", scope, *(_kept(scope, floats(scope, value), 1) for value in inputs))
    return _kept(scope, product, 0)


def _extreme_of_kept(op: str, scope: Scope, x: Value, *others: Value) -> Value:
    """The largest or the smallest of all inputs without what the masks of the inputs exclude."""
    if not scope.origin.merges_without_masked or all(value.mask is None for value in (x, *others)):
        return _merge(op, scope, x, *others)
    return fold(partial(_extreme_of_two, op, scope), _of_one_rank(scope, _of_one_kind(scope, [x, *others])))


def _extreme_of_two(op: str, scope: Scope, one: Value, other: Value) -> Value:
    right = _kept(scope, other, one)
    left = _kept(scope, one, right)
    return scope.op(op, left, right).masked(_mask(scope, [one, other]))


def _kept(scope: Scope, x: Value, otherwise: Operand) -> Value:
    """The value, and something else where its mask excludes it. It keeps the mask."""
    if x.mask is None:
        return x
    if not isinstance(otherwise, Value):
        otherwise = scope.constant(np.array(otherwise, x.dtype.numpy), "SelectV2/otherwise")
    shape = broadcast([x.shape, otherwise.shape])
    return scope.op("SelectV2", expand(scope, x.mask, -1), x, otherwise, shape=shape).masked(x.mask)


def _of_one_kind(scope: Scope, inputs: Sequence[Value]) -> list[Value]:
    """The inputs as one dtype: their own if they share it, else floats."""
    same = all(value.dtype == inputs[0].dtype for value in inputs)
    return [value if same else floats(scope, value) for value in inputs]


def _of_one_rank(scope: Scope, inputs: Sequence[Value]) -> list[Value]:
    rank = max(value.rank for value in inputs)
    return [fold(lambda one, _: expand(scope, one, 1), range(rank - value.rank), value) for value in inputs]


def _mask(scope: Scope, inputs: Sequence[Value]) -> Value | None:
    """The masks in one, as the origin joins them."""
    masks = [value.mask for value in inputs if value.mask is not None]
    if not masks or (scope.origin.merges_all_masks_only and len(masks) < len(inputs)):
        return None
    return fold(lambda one, other: scope.op(scope.origin.merges_masks_by, one, other), masks)


# Along an axis -----------------------------------------------------------------------------------


def _concatenate(scope: Scope, x: Value, *others: Value, axis: int) -> Value:
    """The inputs one after the other."""
    inputs = _of_one_kind(scope, [x, *others])
    return concat(scope, inputs, axis).masked(_concatenated_mask(scope, [x, *others], axis))


def _concatenated_mask(scope: Scope, inputs: Sequence[Value], axis: int) -> Value | None:
    """The masks, joined along the axis: those with an axis less than their input get one of size 1."""
    if all(value.mask is None for value in inputs):
        return None
    masks = [_full_mask(scope, value) for value in inputs]
    return reduce(scope, scope.origin.concatenates_masks_by, concat(scope, masks, axis), [-1])


def _full_mask(scope: Scope, value: Value) -> Value:
    if value.mask is None:
        return cast(scope, scope.op("OnesLike", value), DType.bool)
    if value.mask.rank == value.rank:
        return value.mask
    mask = expand(scope, value.mask, -1)
    if scope.origin.concatenates_masks_by == "All":
        return mask
    return scope.op("LogicalOr", mask, cast(scope, scope.op("ZerosLike", value), DType.bool))


# Products ----------------------------------------------------------------------------------------


def _dot(scope: Scope, x: Value, y: Value, *, axes: int | tuple[int, ...], normalize: bool) -> Value:
    """The sums of products along an axis of each input, for each sample of the batch."""
    given = axes if isinstance(axes, tuple) else (axes, axes)
    if len(given) != 2 or min(x.rank, y.rank) < 2:
        raise _unfit(x, y, given, "one axis of each input, which have at least two")
    x, y = floats(scope, x), floats(scope, y)
    along, across = axis_of(x, given[0]), axis_of(y, given[1])
    if 0 in (along, across) or _differ(x.shape[along], y.shape[across]):
        raise _unfit(x, y, given, "axes of one size behind the first")
    if normalize:
        x, y = _normalized(scope, x, along), _normalized(scope, y, across)
    return _product(scope, x, y, along, across)


def _unfit(x: Value, y: Value, axes: tuple[int, ...], expected: str) -> ConversionError:
    found = f"{shown(x.shape)} and {shown(y.shape)}, axes {list(axes)}"
    return ConversionError("the layer's inputs cannot be multiplied", found=found, expected=expected)


def _differ(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one != other


def _product(scope: Scope, x: Value, y: Value, along: int, across: int) -> Value:
    """As matrices: the axis of `x` is its last, that of `y` its first after the batch."""
    rows = [axis for axis in range(1, x.rank) if axis != along]
    columns = [axis for axis in range(1, y.rank) if axis != across]
    left, right = transpose(scope, x, [0, *rows, along]), transpose(scope, y, [0, across, *columns])
    outer, inner = sizes(scope, left), sizes(scope, right)
    row_sizes, column_sizes = outer[1:-1], inner[2:]
    left = reshape(scope, left, (outer[0], times(scope, *row_sizes), outer[-1]))
    right = reshape(scope, right, (inner[0], inner[1], times(scope, *column_sizes)))
    shape = (left.shape[0], left.shape[1], right.shape[2])
    product = scope.op("BatchMatMulV2", left, right, shape=shape)
    return reshape(scope, product, (size(scope, product, 0), *row_sizes, *column_sizes) if rows or columns else (-1, 1))


def _normalized(scope: Scope, x: Value, axis: int) -> Value:
    """The vectors along an axis with length 1; one that is shorter than the root of epsilon stays shorter."""
    square = reduce(scope, "Sum", scope.op("Square", x), [axis], keep=True)
    return scope.op("Mul", x, scope.op("Rsqrt", scope.op("Maximum", square, scope.origin.epsilon_of_lengths)))


LAYERS: Mapping[str, Make] = {
    "Add": partial(_merge, "AddV2"),
    "Average": _average,
    "Concatenate": _concatenate,
    "Dot": _dot,
    "Maximum": partial(_extreme_of_kept, "Maximum"),
    "Minimum": partial(_extreme_of_kept, "Minimum"),
    "Multiply": _product_of_kept,
    "Subtract": partial(_merge, "Sub"),
}
