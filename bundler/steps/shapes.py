"""Steps that move numbers and do not change them."""

from __future__ import annotations

import math

import numpy as np

from bundler.drafting import tensors
from bundler.drafting.value import Value
from bundler.errors import ManifestError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Shape, shape_proto
from bundler.manifest.steps import parse_type, shapes
from bundler.steps.checks import axis_of, check_dtype, check_rank, type_of
from bundler.steps.scope import Scope

__all__ = [
    "concat",
    "expand_dims",
    "flip",
    "gather",
    "pad",
    "parse_example",
    "reshape",
    "shape",
    "slice_",
    "squeeze",
    "take",
    "transpose",
]


def reshape(scope: Scope, step: shapes.Reshape, value: Value) -> Value:
    """The same numbers in another shape."""
    target = _resolved(step.shape, value)
    return scope.op("Reshape", value, scope.constant(list(step.shape), "shape"), shape=target)


def _resolved(target: tuple[int, ...], value: Value) -> Shape:
    """The shape that a reshape gives, its size of -1 as far as it is known."""
    rest = math.prod(size for size in target if size >= 0)
    wrong = ManifestError("has another number of elements", found=type_of(value), expected=str(list(target)))
    if target.count(-1) > 1:
        raise ManifestError("more than one size is -1", found=str(list(target)))
    if None in value.shape:
        return tuple(None if size < 0 else size for size in target)
    total = math.prod(size or 0 for size in value.shape)
    if -1 not in target:
        if rest != total:
            raise wrong
        return target
    if not rest or total % rest:
        raise wrong
    return tuple(total // rest if size < 0 else size for size in target)


def shape(scope: Scope, _: shapes.Shape, value: Value) -> Value:
    """The sizes of a tensor."""
    if None not in value.shape:
        return scope.constant(list(value.shape), "shape")
    return scope.op("Shape", value, shape=(value.rank,), out_type=DType.int32)


def transpose(scope: Scope, step: shapes.Transpose, value: Value) -> Value:
    """The axes in another order."""
    order = [axis_of(value, axis) for axis in step.perm]
    if sorted(order) != list(range(value.rank)):
        found = f"{list(step.perm)} for {type_of(value)}"
        raise ManifestError("perm does not name each axis once", found=found)
    return tensors.transpose(scope, value, order)


def squeeze(scope: Scope, step: shapes.Squeeze, value: Value) -> Value:
    """Without axes of size 1."""
    axes = sorted({axis_of(value, axis) for axis in step.axis})
    if any(value.shape[axis] not in (None, 1) for axis in axes):
        raise ManifestError("the axis is not of size 1", found=f"{list(step.axis)} of {type_of(value)}")
    shape = tuple(size for axis, size in enumerate(value.shape) if axis not in axes)
    return scope.op("Squeeze", value, shape=shape, squeeze_dims=axes)


def expand_dims(scope: Scope, step: shapes.ExpandDims, value: Value) -> Value:
    """One more axis."""
    if not -value.rank - 1 <= step.axis <= value.rank:
        raise ManifestError("there is no such place for an axis", found=f"{step.axis} in {type_of(value)}")
    return tensors.expand(scope, value, step.axis)


def concat(scope: Scope, step: shapes.Concat, *values: Value) -> Value:
    """One tensor after the other."""
    first = values[0]
    if any(value.dtype != first.dtype for value in values):
        raise ManifestError("takes tensors of one dtype", found=" and ".join(map(type_of, values[:8])))
    if step.op == "concat":
        axis_of(first, step.axis)
        return tensors.concat(scope, values, step.axis)
    if any(value.rank != first.rank for value in values) or not -first.rank - 1 <= step.axis <= first.rank:
        raise ManifestError("takes tensors of one shape", found=" and ".join(map(type_of, values[:8])))
    expanded = [tensors.expand(scope, value, step.axis) for value in values]
    return tensors.concat(scope, expanded, step.axis % (first.rank + 1))


def slice_(scope: Scope, step: shapes.Slice, value: Value) -> Value:
    """A part of each axis."""
    if not len(step.begin) == len(step.size) == value.rank:
        found = f"{len(step.begin)} and {len(step.size)} for {type_of(value)}"
        raise ManifestError("begin and size are not as many as the axes", found=found)
    shape = tuple(map(_cut, value.shape, step.begin, step.size))
    given = (scope.constant(list(each), name) for name, each in (("begin", step.begin), ("size", step.size)))
    return scope.op("Slice", value, *given, shape=shape)


def _cut(known: int | None, begin: int, size: int) -> int | None:
    if begin < 0 or size < -1 or (known is not None and begin + max(size, 0) > known):
        found = f"{size} from {begin} on of {'?' if known is None else known}"
        raise ManifestError("an axis has no such part", found=found)
    if size >= 0:
        return size
    return None if known is None else known - begin


def take(scope: Scope, step: shapes.Take, value: Value) -> Value:
    """One entry along an axis."""
    at = axis_of(value, step.axis)
    known = value.shape[at]
    if known is not None and not -known <= step.index < known:
        raise ManifestError("there is no such index", found=f"{step.index} on axis {step.axis} of {type_of(value)}")
    begin, end = [0] * value.rank, [None] * value.rank
    last = [None if axis != at or step.index == -1 else step.index + 1 for axis, _ in enumerate(end)]
    begin[at] = step.index
    part = tensors.slice_(scope, value, begin, last)
    return tensors.squeeze(scope, part._replace(shape=(*part.shape[:at], 1, *part.shape[at + 1 :])), at)


def gather(scope: Scope, step: shapes.Gather, value: Value, indices: Value) -> Value:
    """Entries by their indices."""
    check_dtype(indices, DType.int32)
    at = axis_of(value, step.axis)
    shape = value.shape[:at] + indices.shape + value.shape[at + 1 :]
    return scope.op("GatherV2", value, indices, scope.constant(at, "axis"), shape=shape)


def pad(scope: Scope, step: shapes.Pad, value: Value) -> Value:
    """More entries before and after. PadV2: TensorFlow's optimizers take some Pads for the padding of a convolution."""
    if len(step.paddings) != value.rank:
        found = f"{len(step.paddings)} for {type_of(value)}"
        raise ManifestError("the paddings are not as many as the axes", found=found)
    if not value.dtype.is_number:
        raise ManifestError("takes numbers", found=type_of(value))
    shape = tuple(None if size is None else size + sum(more) for size, more in zip(value.shape, step.paddings))
    paddings = scope.constant(np.array(step.paddings, np.int32).reshape(value.rank, 2), "paddings")
    filler = scope.constant(np.array(step.value, value.dtype.numpy), "value")
    return scope.op("PadV2", value, paddings, filler, shape=shape)


def flip(scope: Scope, step: shapes.Flip, value: Value) -> Value:
    """Some axes from their end to their beginning."""
    axes = sorted({axis_of(value, axis) for axis in step.axis})
    return scope.op("ReverseV2", value, scope.constant(axes, "axis"), shape=value.shape)


_FEATURES = (DType.float32, DType.int64, DType.string)


def parse_example(scope: Scope, step: shapes.ParseExample, serialized: Value) -> tuple[Value, ...]:
    """The features of tf.Examples."""
    check_dtype(serialized, DType.string)
    check_rank(serialized, 1, what="string[?]")
    types = [parse_type(text) for text in step.features.values()]
    wrong = [each for each in types if each.dtype not in _FEATURES or None in each.shape]
    if wrong:
        expected = "float32, int64 or string of a known shape"
        raise ManifestError("a feature has no such type", found=str(wrong[0].dtype), expected=expected)
    empty, keys = scope.texts("names", ()), scope.texts("keys", tuple(step.features))
    defaults = [_default(scope, each.dtype) for each in types]
    return scope.outputs(
        "ParseExampleV2",
        serialized,
        *(empty, empty, keys, empty),
        *defaults,
        shapes=[(*serialized.shape, *each.shape) for each in types],
        dense_shapes=[shape_proto(each.shape) for each in types],
        num_sparse=0,
        sparse_types=[],
        ragged_value_types=[],
        ragged_split_types=[],
    )


def _default(scope: Scope, dtype: DType) -> Value:
    """An empty tensor: examples must have the feature."""
    return scope.texts("default", ()) if dtype == DType.string else scope.constant(np.zeros(0, dtype.numpy), "default")
