"""What many layers and steps share: sizes, shapes, types, reductions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from bundler.drafting.scope import Scope
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Shape
from bundler.ir.shapes import shown

__all__ = [
    "FLOATS",
    "Size",
    "axis_of",
    "cast",
    "channels",
    "check_rank",
    "concat",
    "expand",
    "floats",
    "pad",
    "plus",
    "reduce",
    "reshape",
    "reverse",
    "size",
    "sizes",
    "slice_",
    "split",
    "squeeze",
    "static",
    "times",
    "transpose",
    "vector",
]

Size: TypeAlias = "int | Value"
"""The size of a dimension: a number, or an int32 scalar of the graph."""

FLOATS = (DType.float32, DType.float64, DType.float16, DType.bfloat16)


# What is checked ---------------------------------------------------------------------------------


def check_rank(value: Value, *ranks: int) -> None:
    """ConversionError if the value has another number of dimensions."""
    if value.rank not in ranks:
        expected = f"{' or '.join(map(str, ranks))} dimensions"
        raise ConversionError("the input is of another rank", found=shown(value.shape), expected=expected)


def axis_of(value: Value, axis: int) -> int:
    """The number of an axis from the front. ConversionError if the value has no such axis."""
    if not -value.rank <= axis < value.rank:
        expected = f"from {-value.rank} to {value.rank - 1}"
        raise ConversionError("the input has no such axis", found=str(axis), expected=expected)
    return axis % value.rank


def channels(value: Value, axis: int = -1) -> int:
    """The size of an axis. ConversionError if it is unknown."""
    found = value.shape[axis_of(value, axis)]
    if found is None:
        raise ConversionError("it needs a size of its input that is unknown", found=shown(value.shape))
    return found


# Types -------------------------------------------------------------------------------------------


def cast(scope: Scope, value: Value, dtype: DType) -> Value:
    """The values as another dtype."""
    if value.dtype == dtype:
        return value
    return scope.op("Cast", value, DstT=dtype).masked(value.mask)


def floats(scope: Scope, value: Value) -> Value:
    """The values as float32, as TensorFlow.js computes whatever the policy."""
    return cast(scope, value, DType.float32)


# Sizes -------------------------------------------------------------------------------------------


def size(scope: Scope, value: Value, axis: int) -> Size:
    """The size of an axis: a number if it is known."""
    known = value.shape[axis]
    if known is not None:
        return known
    at = axis % value.rank
    shape = scope.op("Shape", value, shape=(value.rank,), out_type=DType.int32)
    bounds = [scope.constant([bound], f"Shape/{name}") for name, bound in (("begin", at), ("end", at + 1), ("step", 1))]
    return scope.op("StridedSlice", shape, *bounds, shape=(), shrink_axis_mask=1)


def sizes(scope: Scope, value: Value) -> tuple[Size, ...]:
    """The sizes of all axes."""
    return tuple(size(scope, value, axis) for axis in range(value.rank))


def plus(scope: Scope, size: Size, more: int) -> Size:
    """A size and some more."""
    return size + more if isinstance(size, int) else scope.op("AddV2", size, more)


def times(scope: Scope, *factors: Size) -> Size:
    """The product of sizes."""
    known = math.prod(factor for factor in factors if isinstance(factor, int))
    product: Size = known
    for factor in factors:
        if isinstance(factor, Value):
            product = factor if product == 1 else scope.op("Mul", factor, product)
    return product


def vector(scope: Scope, sizes: Sequence[Size], name: str = "sizes") -> Value:
    """Sizes as an int32 vector of the graph."""
    if all(isinstance(each, int) for each in sizes):
        return scope.constant(list(sizes), name)
    scalars = [each if isinstance(each, Value) else scope.constant(each, name) for each in sizes]
    return scope.op("Pack", *scalars, shape=(len(sizes),), axis=0)


def static(sizes: Sequence[Size]) -> Shape:
    """The shape that sizes make, as far as it is known; -1 is unknown."""
    return tuple(each if isinstance(each, int) and each >= 0 else None for each in sizes)


# Shapes ------------------------------------------------------------------------------------------


def reshape(scope: Scope, value: Value, target: Sequence[Size]) -> Value:
    """The same elements in another shape, in which one size may be -1: it follows from the others."""
    shape = static(target)
    inferred = target
    if shape.count(None) == 1 and 0 not in shape:
        inferred = [-1 if isinstance(each, Value) else each for each in target]
    return scope.op("Reshape", value, vector(scope, inferred, "Reshape/shape"), shape=shape)


def transpose(scope: Scope, value: Value, order: Sequence[int]) -> Value:
    """The axes in another order; the value itself if the order is the same."""
    if list(order) == sorted(order):
        return value
    shape = tuple(value.shape[axis] for axis in order)
    return scope.op("Transpose", value, scope.constant(list(order), "Transpose/perm"), shape=shape)


def reverse(scope: Scope, value: Value, axis: int) -> Value:
    """The value with an axis from its end to its beginning."""
    axes = scope.constant([axis % value.rank], "ReverseV2/axis")
    return scope.op("ReverseV2", value, axes, shape=value.shape)


def expand(scope: Scope, value: Value, axis: int) -> Value:
    """One more axis, of size 1, before `axis`."""
    at = axis % (value.rank + 1)
    shape = (*value.shape[:at], 1, *value.shape[at:])
    return scope.op("ExpandDims", value, scope.constant(at, "ExpandDims/dim"), shape=shape)


def concat(scope: Scope, values: Sequence[Value], axis: int) -> Value:
    """Values of one dtype joined along an axis; their other sizes must fit."""
    at = axis_of(values[0], axis)
    shape = list(values[0].shape)
    for value in values[1:]:
        if value.rank != len(shape):
            raise _unlike(values)
        for axis, known in enumerate(value.shape):
            shape[axis] = _joined(shape[axis], known, values) if axis != at else shape[axis]
    along = [value.shape[at] for value in values]
    shape[at] = None if None in along else sum(each for each in along if each is not None)
    if len(values) == 1:
        return values[0]
    return scope.op("ConcatV2", *values, scope.constant(at, "ConcatV2/axis"), shape=tuple(shape))


def _joined(one: int | None, other: int | None, values: Sequence[Value]) -> int | None:
    if one is not None and other is not None and one != other:
        raise _unlike(values)
    return other if one is None else one


def _unlike(values: Sequence[Value]) -> ConversionError:
    found = ", ".join(shown(value.shape) for value in values[:8])
    return ConversionError("the inputs do not fit each other", found=found, expected="equal sizes")


def slice_(scope: Scope, value: Value, begin: Sequence[int], end: Sequence[int | None]) -> Value:
    """From `begin` to before `end` on each axis, None for all that is left; negative numbers count from the end."""
    shape = tuple(_cut(known, first, last) for known, first, last in zip(value.shape, begin, end))
    if not any(begin) and all(last is None for last in end):
        return value
    mask = sum(1 << axis for axis, last in enumerate(end) if last is None)
    bounds = [begin, [0 if last is None else last for last in end], [1] * value.rank]
    named = zip(("begin", "end", "steps"), bounds)
    given = [scope.constant(list(bound), f"StridedSlice/{name}") for name, bound in named]
    return scope.op("StridedSlice", value, *given, shape=shape, end_mask=mask)


def _cut(known: int | None, first: int, last: int | None) -> int | None:
    return None if known is None else len(range(*slice(first, last).indices(known)))


def squeeze(scope: Scope, value: Value, axis: int) -> Value:
    """The value without an axis of size 1."""
    at = axis % value.rank
    return scope.op("Squeeze", value, shape=value.shape[:at] + value.shape[at + 1 :], squeeze_dims=[at])


def pad(scope: Scope, value: Value, around: Sequence[tuple[int, int]]) -> Value:
    """Zeros before and after, for each axis."""
    if not any(map(any, around)):
        return value
    shape = tuple(None if known is None else known + sum(more) for known, more in zip(value.shape, around))
    return scope.op("Pad", value, scope.constant([list(each) for each in around], "Pad/paddings"), shape=shape)


def split(scope: Scope, value: Value, count: int, axis: int) -> tuple[Value, ...]:
    """Equal parts along an axis, whose size is known to be a multiple."""
    at = axis % value.rank
    shape = list(value.shape)
    shape[at] = channels(value, at) // count
    along = scope.constant(at, "Split/axis")
    return scope.outputs("Split", along, value, shapes=[tuple(shape)] * count, num_split=count)


def reduce(scope: Scope, op: str, value: Value, axes: Sequence[int], keep: bool = False) -> Value:
    """`op` (Sum, Mean, Max, …) over some axes, which stay with size 1 if `keep`."""
    gone = {axis % value.rank for axis in axes}
    shape = tuple(1 if axis in gone else known for axis, known in enumerate(value.shape) if keep or axis not in gone)
    return scope.op(op, value, scope.constant(sorted(gone), f"{op}/axes"), shape=shape, keep_dims=keep)
