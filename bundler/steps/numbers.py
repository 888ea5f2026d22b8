"""Steps that compute with numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bundler.drafting import tensors
from bundler.drafting.value import Value
from bundler.errors import ManifestError
from bundler.ir.dtypes import DType
from bundler.manifest.steps import numbers
from bundler.steps.checks import axis_of, check_dtype, type_of
from bundler.steps.scope import Scope

__all__ = [
    "arg_max",
    "arithmetic",
    "cast",
    "clip",
    "labelled",
    "normalize",
    "reduce",
    "softmax",
    "top_k",
    "unary",
]

_ARITHMETIC = {
    "add": "AddV2",
    "sub": "Sub",
    "mul": "Mul",
    "div": "RealDiv",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "greater": "Greater",
}
_UNARY = {
    "exp": "Exp",
    "floor": "Floor",
    "round": "Round",
    "sqrt": "Sqrt",
    "square": "Square",
    "neg": "Neg",
    "abs": "Abs",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
}
_REDUCE = {"reduce_max": "Max", "reduce_min": "Min", "reduce_mean": "Mean", "reduce_sum": "Sum"}


def arithmetic(scope: Scope, step: numbers.Arithmetic, one: Value, other: Value | None = None) -> Value:
    """Element by element, of a tensor and numbers or another tensor."""
    check_dtype(one, DType.float32, *(() if step.op == "div" else (DType.int32,)))
    if other is None:
        return _by(scope, step, one)
    if other.dtype != one.dtype:
        raise ManifestError("takes two tensors of one dtype", found=f"{type_of(one)} and {type_of(other)}")
    return scope.op(_ARITHMETIC[step.op], one, other)


def _by(scope: Scope, step: numbers.Arithmetic, beside: Value) -> Value:
    """The tensor and the numbers of `by`, which are of its dtype."""
    given = step.by or ()
    if len(given) > 1 and (not beside.rank or beside.shape[-1] not in (None, len(given))):
        found = f"{len(given)} for {type_of(beside)}"
        raise ManifestError("the numbers are not as many as the entries of the last dimension", found=found)
    if beside.dtype == DType.int32 and not all(float(number).is_integer() for number in given):
        hint = 'put { op = "cast", dtype = "float32" } before it'
        raise ManifestError("the number is not whole, and the tensor is int32", found=str(given[0]), hint=hint)
    number = given[0] if len(given) == 1 else given
    if step.op == "div":
        return scope.divide(beside, number)
    return scope.op(_ARITHMETIC[step.op], beside, scope.constant(np.array(number, beside.dtype.numpy), "by"))


def cast(scope: Scope, step: numbers.Cast, value: Value) -> Value:
    """The same numbers in another dtype."""
    if not value.dtype.is_number:
        raise ManifestError("takes numbers", found=type_of(value))
    return scope.op("Cast", value, DstT=DType.parse(step.dtype))


def clip(scope: Scope, step: numbers.Clip, value: Value) -> Value:
    """No number below `min`, none above `max`."""
    check_dtype(value, DType.float32)
    if step.min > step.max:
        raise ManifestError("min is larger than max", found=f"{step.min} and {step.max}")
    ends = (scope.constant(float(end), name) for name, end in (("min", step.min), ("max", step.max)))
    return scope.op("ClipByValue", value, *ends, shape=value.shape)


def unary(scope: Scope, step: numbers.Unary, value: Value) -> Value:
    """Element by element."""
    check_dtype(value, DType.float32)
    return scope.op(_UNARY[step.op], value)


def softmax(scope: Scope, step: numbers.Softmax, value: Value) -> Value:
    """Over the last dimension."""
    check_dtype(value, DType.float32)
    axis_of(value, -1)
    return scope.op("Softmax" if step.op == "softmax" else "LogSoftmax", value)


def _axes(value: Value, axes: Sequence[int] | None) -> list[int]:
    return list(range(value.rank)) if axes is None else sorted({axis_of(value, axis) for axis in axes})


def reduce(scope: Scope, step: numbers.Reduce, value: Value) -> Value:
    """One number in place of those along some axes."""
    check_dtype(value, DType.float32, *(() if step.op == "reduce_mean" else (DType.int32,)))
    return tensors.reduce(scope, _REDUCE[step.op], value, _axes(value, step.axis), keep=step.keep_dims)


def normalize(scope: Scope, step: numbers.Normalize, value: Value) -> Value:
    """Numbers less their mean by their standard deviation, or by their length."""
    check_dtype(value, DType.float32)
    axes = _axes(value, step.axis)
    if step.op == "l2_normalize":
        squares = tensors.reduce(scope, "Sum", scope.op("Mul", value, value), axes, keep=True)
        return scope.op("RealDiv", value, scope.op("AddV2", scope.op("Sqrt", squares), step.epsilon))
    centered = scope.op("Sub", value, tensors.reduce(scope, "Mean", value, axes, keep=True))
    variance = tensors.reduce(scope, "Mean", scope.op("Mul", centered, centered), axes, keep=True)
    return scope.op("RealDiv", centered, scope.op("AddV2", scope.op("Sqrt", variance), step.epsilon))


def arg_max(scope: Scope, step: numbers.ArgMax, value: Value) -> Value:
    """The index of the largest number."""
    check_dtype(value, DType.float32, DType.int32)
    at = axis_of(value, step.axis)
    shape = value.shape[:at] + value.shape[at + 1 :]
    return scope.op("ArgMax", value, scope.constant(at, "axis"), shape=shape, output_type=DType.int32)


def top_k(scope: Scope, step: numbers.TopK, value: Value) -> tuple[Value, ...]:
    """The largest numbers, and their indices or labels."""
    check_dtype(value, DType.float32, DType.int32)
    classes = value.shape[axis_of(value, -1)]
    if classes is not None and step.k > classes:
        raise ManifestError("k is larger than the last dimension", found=str(step.k), expected=type_of(value))
    if step.labels is not None and classes not in (None, len(step.labels)):
        found, expected = str(len(step.labels)), f"{classes}, as in {type_of(value)}"
        raise ManifestError("the labels are not as many as the classes", found=found, expected=expected)
    shape = (*value.shape[:-1], step.k)
    best, at = scope.outputs("TopKV2", value, scope.constant(step.k, "k"), shapes=[shape, shape], sorted=True)
    return best, at if step.labels is None else _labels_of(scope, step.labels, at)


def labelled(scope: Scope, step: numbers.LabelsStep, indices: Value) -> Value:
    """The labels of indices."""
    check_dtype(indices, DType.int32)
    return _labels_of(scope, step.labels, indices)


def _labels_of(scope: Scope, labels: Sequence[str], indices: Value) -> Value:
    table = scope.texts("labels", labels)
    return scope.op("GatherV2", table, indices, scope.constant(0, "axis"), shape=indices.shape)
