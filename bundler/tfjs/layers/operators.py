"""Operators: what Keras 3 writes for `x + 1`, `keras.ops.mean(x)` and `x[:, 0]`, and for the masks of its own layers.

They stand among the layers of a model, under names that layers may have, too: here they are called `ops.Add`.

Sources: `__init__` of the classes in keras/src/ops/numpy.py, nn.py and core.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from bundler.tfjs.fields import Json
from bundler.tfjs.layers import readers
from bundler.tfjs.layers.readers import flag, maybe, number, whole, wholes
from bundler.tfjs.layers.schema import Field, Options

__all__ = ["IGNORED_OF_OPERATORS", "OPERATORS", "is_operator", "operator_kind"]

_AXIS = whole(-readers.RANK, readers.RANK)
_AXES = wholes(-readers.RANK, readers.RANK)
_REDUCED: Options = {"axis": Field(maybe(_AXES), None), "keepdims": Field(flag, False)}
_PLAIN: Options = {}

_UNARY = (
    *("Abs", "Absolute", "Arccos", "Arccosh", "Arcsin", "Arcsinh", "Arctan", "Arctanh", "Ceil", "Cos", "Cosh", "Exp"),
    *(
        "Expm1",
        "Floor",
        "Isfinite",
        "Isinf",
        "Isnan",
        "Log",
        "Log1p",
        "LogicalNot",
        "Negative",
        "OnesLike",
        "Reciprocal",
    ),
    *("Relu", "Relu6", "Rsqrt", "Selu", "Sigmoid", "Sign", "Silu", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt"),
    *("Square", "Tan", "Tanh", "ZerosLike", "HardSigmoid"),
)
_BINARY = (
    *("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "FloorDivide", "Mod", "Power", "Maximum", "Minimum"),
    *("Equal", "NotEqual", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalOr", "Matmul"),
)
_REDUCTIONS = ("Mean", "Sum", "Prod", "Any", "All")

OPERATORS: Mapping[str, Options] = {
    **dict.fromkeys(_UNARY, _PLAIN),
    **dict.fromkeys(_BINARY, _PLAIN),
    **dict.fromkeys(_REDUCTIONS, _REDUCED),
    **dict.fromkeys(["Max", "Min"], _REDUCED),
    "Cast": {"dtype": Field(readers.dtype)},
    "ConvertToTensor": {"dtype": Field(maybe(readers.dtype), None)},
    "Clip": {"x_min": Field(number), "x_max": Field(number)},
    "Elu": {"alpha": Field(number, 1.0)},
    "ExpandDims": {"axis": Field(_AXIS)},
    "Gelu": {"approximate": Field(flag, True)},
    "GetItem": _PLAIN,
    "LeakyRelu": {"negative_slope": Field(number, 0.2)},
    "LogSoftmax": {"axis": Field(_AXES, -1)},
    "Reshape": {"newshape": Field(readers.target)},
    "Squeeze": {"axis": Field(maybe(_AXES), None)},
    "Stack": {"axis": Field(_AXIS, 0)},
    "Transpose": {"axes": Field(maybe(_AXES), None)},
    "Where": _PLAIN,
}
"""The operators that can be imported, and their options."""
IGNORED_OF_OPERATORS = frozenset(["trainable", "initial", "dtype", "sparse", "ragged"])
"""Fields without a bearing."""


def operator_kind(kind: str) -> str:
    """The name of an operator among the kinds of layers."""
    return f"ops.{kind}"


def is_operator(kind: object, config: Json, nodes: object, layers: Mapping[str, object]) -> bool:
    """Whether a layer of Keras 3 is an operator: if a layer has its name, too, its fields or its call decide."""
    if not isinstance(kind, str) or kind not in OPERATORS:
        return False
    return kind not in layers or "newshape" in config or _is_called_with_two(nodes)


def _is_called_with_two(nodes: object) -> bool:
    first = nodes[0] if isinstance(nodes, list) and nodes else None
    args = first.get("args") if isinstance(first, dict) else None
    return isinstance(args, list) and len(args) > 1
