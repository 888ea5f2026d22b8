"""Operators of Keras 3: arithmetic between layers, see `operators` beside this folder.

Sources: keras/src/ops/numpy.py, nn.py and core.py. Dtypes are promoted as far as TensorFlow.js has them: what mixes
with a float becomes a float.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from bundler.drafting.tensors import (
    FLOATS,
    axis_of,
    cast,
    channels,
    expand,
    floats,
    reduce,
    reshape,
    squeeze,
    transpose,
)
from bundler.drafting.value import Operand, Value, broadcast
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.tfjs.layers.description import Index, Slice
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.kinds.activations import ACTIVATIONS
from bundler.tfjs.layers.kinds.rectifiers import softmax_along
from bundler.tfjs.layers.operators import operator_kind

__all__ = ["LAYERS"]

_Axes = int | tuple[int, ...] | None


# Element by element ------------------------------------------------------------------------------


def _unary(op: str, scope: Scope, x: Value) -> Value:
    return scope.op(op, x)


def _of_floats(op: str, scope: Scope, x: Value) -> Value:
    return scope.op(op, floats(scope, x))


def _activation(name: str, scope: Scope, x: Value) -> Value:
    return ACTIVATIONS[name](scope, floats(scope, x))


def _like(number: int, scope: Scope, x: Value) -> Value:
    return scope.op("OnesLike" if number else "ZerosLike", x)


def _binary(op: str, scope: Scope, x: Operand, y: Operand) -> Value:
    return scope.op(op, *_promoted(scope, x, y))


def _logical(op: str, scope: Scope, x: Value, y: Value) -> Value:
    return scope.op(op, cast(scope, x, DType.bool), cast(scope, y, DType.bool))


def _divide(scope: Scope, x: Operand, y: Operand) -> Value:
    one, other = (floats(scope, each) if isinstance(each, Value) else each for each in (x, y))
    return scope.op("RealDiv", one, other)


def _promoted(scope: Scope, *operands: Operand) -> list[Operand]:
    """The operands as one dtype."""
    dtypes = {each.dtype for each in operands if isinstance(each, Value)}
    fractions = any(isinstance(each, float) for each in operands)
    if not dtypes:
        raise ConversionError("the operator has no tensor among its inputs")
    if len(dtypes) == 1 and (not fractions or dtypes <= {*FLOATS}) and dtypes != {DType.bool}:
        return list(operands)
    common = DType.float32 if fractions or dtypes & {*FLOATS} else DType.int32
    return [cast(scope, each, common) if isinstance(each, Value) else each for each in operands]


def _clip(scope: Scope, x: Value, *, x_min: float, x_max: float) -> Value:
    """No less than `x_min`, no more than `x_max`."""
    return _binary("Minimum", scope, _binary("Maximum", scope, x, x_min), x_max)


def _cast(scope: Scope, x: Value, *, dtype: str | None) -> Value:
    """The values as another dtype; floats of any width are float32."""
    if dtype is None:
        return x
    target = DType.parse(dtype)
    return cast(scope, x, DType.float32 if target in FLOATS else target)


def _where(scope: Scope, condition: Value, x: Operand, y: Operand) -> Value:
    """The values of `x` if the condition holds, else those of `y`."""
    one, other = _promoted(scope, x, y) if isinstance(x, Value) or isinstance(y, Value) else (float(x), float(y))
    constants = [each if isinstance(each, Value) else _number(scope, each, one, other) for each in (one, other)]
    shape = broadcast([condition.shape, *(each.shape for each in constants)])
    return scope.op("SelectV2", cast(scope, condition, DType.bool), *constants, shape=shape)


def _number(scope: Scope, number: float, *operands: Operand) -> Value:
    dtype = next((each.dtype for each in operands if isinstance(each, Value)), DType.float32)
    return cast(scope, scope.constant(number, "number"), dtype)


def _elu(scope: Scope, x: Value, *, alpha: float) -> Value:
    y = scope.op("Elu", floats(scope, x))
    return y if alpha == 1 else scope.op("SelectV2", scope.op("Greater", x, 0), y, scope.op("Mul", y, alpha))


def _gelu(scope: Scope, x: Value, *, approximate: bool) -> Value:
    return _activation("gelu_new" if approximate else "gelu", scope, x)


def _leaky_relu(scope: Scope, x: Value, *, negative_slope: float) -> Value:
    return scope.op("LeakyRelu", floats(scope, x), alpha=float(negative_slope))


def _log_softmax(scope: Scope, x: Value, *, axis: int | tuple[int, ...]) -> Value:
    along = axis if isinstance(axis, int) else axis[0]
    return scope.op("Log", softmax_along(scope, floats(scope, x), axis_of(x, along)))


# Along axes --------------------------------------------------------------------------------------


def _reduction(op: str, scope: Scope, x: Value, *, axis: _Axes, keepdims: bool) -> Value:
    axes = range(x.rank) if axis is None else [axis_of(x, each) for each in _tuple(axis)]
    if op == "Mean":
        x = floats(scope, x)
    elif op in ("Any", "All"):
        x = cast(scope, x, DType.bool)
    return reduce(scope, op, x, axes, keepdims)


def _tuple(axis: int | tuple[int, ...]) -> tuple[int, ...]:
    return axis if isinstance(axis, tuple) else (axis,)


def _matmul(scope: Scope, x: Value, y: Value) -> Value:
    """The product of matrices; the axes before the last two are broadcast."""
    one, other = floats(scope, x), floats(scope, y)
    if min(one.rank, other.rank) < 2 or channels(one) != channels(other, -2):
        raise ConversionError("the operator's inputs cannot be multiplied", expected="matrices that fit")
    shape = (*broadcast([one.shape[:-2], other.shape[:-2]]), one.shape[-2], other.shape[-1])
    return scope.op("BatchMatMulV2", one, other, shape=shape)


def _reshape(scope: Scope, x: Value, *, newshape: tuple[int, ...]) -> Value:
    return reshape(scope, x, newshape)


def _transpose(scope: Scope, x: Value, *, axes: _Axes) -> Value:
    order = list(range(x.rank))[::-1] if axes is None else [axis_of(x, each) for each in _tuple(axes)]
    if sorted(order) != list(range(x.rank)):
        raise ConversionError("the axes are not in an order", found=str(order), expected=f"{x.rank} axes, each once")
    return transpose(scope, x, order)


def _expand_dims(scope: Scope, x: Value, *, axis: int) -> Value:
    if not -x.rank - 1 <= axis <= x.rank:
        raise ConversionError("the operator's input has no such axis", found=str(axis))
    return expand(scope, x, axis)


def _squeeze(scope: Scope, x: Value, *, axis: _Axes) -> Value:
    ones = [at for at, known in enumerate(x.shape) if known == 1]
    axes = ones if axis is None else [axis_of(x, each) for each in _tuple(axis)]
    for at in sorted(axes, reverse=True):
        x = squeeze(scope, x, at)
    return x


def _stack(scope: Scope, x: Value, *others: Value, axis: int) -> Value:
    """The inputs side by side on a new axis."""
    inputs = [each for each in _promoted(scope, x, *others) if isinstance(each, Value)]
    shape = broadcast([each.shape for each in inputs])
    at = axis % (x.rank + 1)
    return scope.op("Pack", *inputs, shape=(*shape[:at], len(inputs), *shape[at:]), axis=at)


# Items -------------------------------------------------------------------------------------------


def _get_item(scope: Scope, x: Value, index: Index | int) -> Value:
    """What stands at an index: numbers, slices, new axes, an ellipsis."""
    key = _without_ellipsis(index if isinstance(index, tuple) else (index,), x.rank)
    axis = 0
    for item in key:
        if item is None:
            x, axis = expand(scope, x, axis), axis + 1
        elif isinstance(item, Slice):
            x, axis = _sliced(scope, x, axis, item), axis + 1
        else:
            x = squeeze(scope, _sliced(scope, x, axis, Slice(item, item + 1 if item != -1 else None, None)), axis)
    return x


def _without_ellipsis(index: Index, rank: int) -> tuple[int | Slice | None, ...]:
    """The index with a whole slice for each axis that the ellipsis stands for."""
    used = sum(isinstance(item, (int, Slice)) for item in index)
    if used > rank or index.count(Ellipsis) > 1:
        raise ConversionError("the index does not fit the tensor", found=f"{used} axes", expected=f"at most {rank}")
    whole = [Slice(None, None, None)] * (rank - used)
    return tuple(part for item in index for part in (whole if item is Ellipsis else [item]))


def _sliced(scope: Scope, x: Value, axis: int, part: Slice) -> Value:
    if part == Slice(None, None, None):
        return x
    step, known = part.step or 1, x.shape[axis]
    length = None if known is None else len(range(*slice(part.start, part.stop, step).indices(known)))
    before = [0] * axis
    bounds = {"begin": [*before, part.start or 0], "end": [*before, part.stop or 0], "steps": [*[1] * axis, step]}
    given = [scope.constant(value, f"StridedSlice/{name}") for name, value in bounds.items()]
    before_axis, at_axis = (1 << axis) - 1, 1 << axis
    return scope.op(
        "StridedSlice",
        x,
        *given,
        shape=(*x.shape[:axis], length, *x.shape[axis + 1 :]),
        begin_mask=before_axis | (at_axis if part.start is None else 0),
        end_mask=before_axis | (at_axis if part.stop is None else 0),
    )


_UNARY = {
    **{name: name for name in ("Abs", "Relu", "Relu6", "Sign", "Square")},
    "Absolute": "Abs",
    "Negative": "Neg",
    "LogicalNot": "LogicalNot",
}
_OF_FLOATS = {
    **{name: name for name in ("Ceil", "Cos", "Cosh", "Exp", "Expm1", "Floor", "Log", "Log1p", "Reciprocal", "Rsqrt")},
    **{name: name for name in ("Selu", "Sigmoid", "Sin", "Sinh", "Softplus", "Sqrt", "Tan", "Tanh")},
    "Arccos": "Acos",
    "Arccosh": "Acosh",
    "Arcsin": "Asin",
    "Arcsinh": "Asinh",
    "Arctan": "Atan",
    "Arctanh": "Atanh",
    "Isfinite": "IsFinite",
    "Isinf": "IsInf",
    "Isnan": "IsNan",
}
_ACTIVATIONS = {"HardSigmoid": "keras_3_hard_sigmoid", "Silu": "silu", "Softsign": "softsign"}
_BINARY = {
    **{name: name for name in ("Equal", "NotEqual", "Greater", "GreaterEqual", "Less", "LessEqual")},
    "Add": "AddV2",
    "Subtract": "Sub",
    "Multiply": "Mul",
    "FloorDivide": "FloorDiv",
    "Mod": "FloorMod",
    "Power": "Pow",
    "Maximum": "Maximum",
    "Minimum": "Minimum",
}

_OPERATORS: Mapping[str, Callable[..., Value]] = {
    **{name: partial(_unary, op) for name, op in _UNARY.items()},
    **{name: partial(_of_floats, op) for name, op in _OF_FLOATS.items()},
    **{name: partial(_activation, activation) for name, activation in _ACTIVATIONS.items()},
    **{name: partial(_binary, op) for name, op in _BINARY.items()},
    **{name: partial(_logical, name) for name in ("LogicalAnd", "LogicalOr")},
    **{name: partial(_reduction, name) for name in ("All", "Any", "Max", "Mean", "Min", "Prod", "Sum")},
    "Cast": _cast,
    "Clip": _clip,
    "ConvertToTensor": _cast,
    "Divide": _divide,
    "Elu": _elu,
    "ExpandDims": _expand_dims,
    "Gelu": _gelu,
    "GetItem": _get_item,
    "LeakyRelu": _leaky_relu,
    "LogSoftmax": _log_softmax,
    "Matmul": _matmul,
    "OnesLike": partial(_like, 1),
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Stack": _stack,
    "Transpose": _transpose,
    "TrueDivide": _divide,
    "Where": _where,
    "ZerosLike": partial(_like, 0),
}
LAYERS: Mapping[str, Make] = {operator_kind(name): make for name, make in _OPERATORS.items()}
