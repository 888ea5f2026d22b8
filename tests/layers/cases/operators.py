"""Operators of Keras 3: functions that stand in a model like layers."""

from __future__ import annotations

from collections.abc import Mapping

from tests.layers.case import Case, made
from tests.layers.model import Input, Network, layer, wired

X = {"x": Input((4, 3))}
PAIR = {"x": Input((4, 3)), "z": Input((4, 3))}
MATRICES = {"x": Input((4, 3)), "z": Input((3, 5))}

UNARY = (
    *("abs", "absolute", "arcsin", "arccos", "arctan", "arcsinh", "ceil", "cos", "cosh", "exp", "expm1", "floor"),
    *("isfinite", "isinf", "isnan", "negative", "ones_like", "reciprocal", "sign", "sin", "sinh", "square", "tan"),
    *("tanh", "zeros_like", "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign", "hard_sigmoid"),
    *("elu", "gelu", "leaky_relu", "log_softmax", "softmax"),
)
POSITIVE = ("log", "log1p", "sqrt", "rsqrt", "arccosh", "arctanh")
BINARY = (
    *("add", "subtract", "multiply", "divide", "true_divide", "maximum", "minimum", "floor_divide", "mod"),
    *("equal", "not_equal", "greater", "greater_equal", "less", "less_equal"),
)
CALLS: Mapping[str, tuple[str, Mapping[str, Input]]] = {
    "add of a number": ("y = add(x, 1.5)", X),
    "multiply of a number": ("y = multiply(x, -2.0)", X),
    "subtract from a number": ("y = subtract(1.0, x)", X),
    "divide by a number": ("y = divide(x, 4.0)", X),
    "power": ("y = power(x, 2.0)", X),
    "maximum of a number": ("y = maximum(x, 0.1)", X),
    "matmul": ("y = matmul(x, z)", MATRICES),
    **{
        f"{name} {how}": (f"y = {name}(x{arguments})", X)
        for name in ("mean", "sum", "prod", "max", "min")
        for how, arguments in {
            "over the last axis": ", axis=-1",
            "over an axis": ", axis=1",
            "that keeps dimensions": ", axis=1, keepdims=True",
        }.items()
    },
    "logical_and": ("y = logical_and(greater(x, 0.1), less(x, 0.5))", X),
    "logical_or": ("y = logical_or(greater(x, 0.1), less(x, -0.5))", X),
    "logical_not": ("y = logical_not(greater(x, 0.1))", X),
    "any": ("y = any(greater(x, 0.9), axis=-1)", X),
    "all": ("y = all(greater(x, -0.9), axis=-1)", X),
    "cast": ("y = cast(x, 'int32')", X),
    "clip": ("y = clip(x, -0.5, 0.25)", X),
    "expand_dims": ("y = expand_dims(x, 1)", X),
    "expand_dims at the end": ("y = expand_dims(x, -1)", X),
    "squeeze": ("y = squeeze(x, 1)", {"x": Input((1, 3))}),
    "reshape": ("y = reshape(x, [-1, 12])", X),
    "stack": ("y = stack([x, z], axis=1)", PAIR),
    "transpose": ("y = transpose(x, [0, 2, 1])", X),
    "where": ("y = where(greater(x, 0.1), x, z)", PAIR),
    "concatenate": ("y = concatenate([x, z], axis=-1)", PAIR),
}


def operator(name: str, code: str, inputs: Mapping[str, Input]) -> Case:
    return made("Operators", name, _network(code, inputs))


def _network(code: str, inputs: Mapping[str, Input]) -> Network:
    """Every layer that the code calls is the function of that name in `keras.ops`."""
    calls = wired(code, inputs)
    return calls._replace(layers={call.layer: layer(f"ops.{call.layer}") for call in calls.calls})


CASES = [
    *(operator(name, f"y = {name}(x)", X) for name in UNARY),
    *(operator(name, f"y = {name}(add(abs(x), {2.0 if name == 'arccosh' else 0.1}))", X) for name in POSITIVE[:5]),
    operator("arctanh", "y = arctanh(multiply(x, 0.9))", X),
    *(operator(name, f"y = {name}(x, z)", PAIR) for name in BINARY),
    *(operator(name, code, inputs) for name, (code, inputs) in CALLS.items()),
]
