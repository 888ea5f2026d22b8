"""Cases of basic_math.json: one number becomes one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from tests.conformance.case import Cannot, Case, Const, Differs, case
from tests.conformance.formulas import prelu

__all__ = ["CASES"]

NAN, INF = float("nan"), float("inf")
REAL = [-3.0, -1.5, -0.5, 0.0, 0.5, 1.0, 2.5, 6.5]
UNIT = [-1.0, -0.75, -0.1, 0.0, 0.3, 1.0]
POSITIVE = [0.01, 0.5, 1.0, 2.0, 100.0]
DOMAINS: list[tuple[list[str], list[float]]] = [
    (["Abs", "Atan", "Ceil", "Cos", "Elu", "Exp", "Floor", "Neg", "Relu", "Relu6", "Selu"], REAL),
    (["Sigmoid", "Sin", "Sinh", "Cosh", "Square", "Tan", "Tanh", "Sign", "Round", "Expm1"], REAL),
    (["Softplus", "Asinh", "Erf", "LeakyRelu", "IsNan", "IsFinite", "IsInf"], REAL),
    (["Acos", "Asin"], UNIT),
    (["Atanh"], [-0.9, -0.3, 0.0, 0.5, 0.99]),
    (["Log", "Sqrt", "Rsqrt", "Reciprocal"], POSITIVE),
    (["Log1p"], [-0.5, 0.0, 1.0, 100.0]),
    (["Acosh"], [1.0, 1.5, 4.0, 50.0]),
]
EDGES: list[tuple[list[str], list[float]]] = [
    (["Abs", "Relu", "Relu6", "Elu", "Exp", "Sigmoid", "Tanh", "Neg", "Square"], [INF, -INF, NAN]),
    (["IsNan", "IsFinite", "IsInf"], [INF, -INF, NAN, 1.0]),
    (["Acos", "Asin"], [2.0, -2.0, NAN]),
    (["Ceil", "Floor"], [INF, -INF, 1e20]),
    (["Log"], [0.0, -1.0, INF, NAN]),
    (["Sqrt"], [-1.0, INF, NAN]),
    (["Rsqrt"], [-1.0, INF]),
    (["Acosh"], [0.5, INF]),
    (["Atanh"], [1.0, -1.0, 2.0]),
    (["Log1p"], [-1.0, -2.0]),
    (["Round"], [0.5, 1.5, 2.5, -0.5, -1.5]),
    (["Softplus"], [100.0, -100.0]),
    (["Atan"], [INF, -INF]),
]
WHOLE = ("Abs", "Neg", "Relu", "Relu6", "Square", "Sign")


def unary() -> Iterator[Case]:
    for op, values in each(DOMAINS):
        yield case(op, "float32", values)
        yield case(op, "rank 3", [[values]])
    for op, values in each(EDGES):
        yield case(op, "edges", values)
    for op in WHOLE:
        yield case(op, "int32", [-7, 0, 5, 9])


def each(table: list[tuple[list[str], list[float]]]) -> Iterator[tuple[str, list[float]]]:
    return ((op, values) for ops, values in table for op in ops)


def prelus() -> Iterator[Case]:
    x = np.linspace(-2, 2, 24, dtype=np.float32).reshape(1, 2, 4, 3)
    alphas = {
        "channels": [0.1, 0.5, -2.0],
        "scalar": 0.25,
        "elements": np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 4, 3),
        "negative": [-0.1, -0.5, -1.0],
    }
    for name, alpha in alphas.items():
        yield case("Prelu", name, x, Const(alpha), meaning=prelu("x", "x1"))
    yield case("Prelu", "alpha is fed", x, alphas["channels"], meaning=prelu("x", "x1"))
    twice = new_node("Mul", "y", ["first", "x1"], T=DType.float32)
    yield case(
        "Prelu",
        "alpha has other readers",
        x,
        Const([0.1, 0.5, -2.0]),
        nodes=[new_node("Prelu", "first", ["x", "x1"]), twice],
        meaning=[*prelu("x", "x1", "first"), twice],
    )


CASES = [
    *unary(),
    *prelus(),
    case("Abs", "scalar", -3.5),
    case("Sign", "NaN", [NAN, 2.0], javascript=Differs("NaN has the sign 0")),
    case("Relu", "empty", np.zeros((0, 2), np.float32)),
    case("Atan2", "quadrants", [1.0, 1.0, -1.0, -1.0, 0.0], [1.0, -1.0, 1.0, -1.0, -1.0]),
    case("Atan2", "broadcast", [[1.0], [2.0]], [3.0, -4.0]),
    case("ClipByValue", "float32", REAL, Const(-1.0), Const(2.0)),
    case("ClipByValue", "fed limits", REAL, 0.0, 6.0),
    case("ClipByValue", "int32", [-7, 0, 9], Const(-1), Const(5)),
    *(case("LeakyRelu", f"alpha {alpha}", REAL, alpha=alpha) for alpha in (0.0, 0.01, 0.3, 1.0)),
    case("Complex", "two parts", [1.0, 2.0], [3.0, -4.0], Tout=DType.complex64),
    case("Complex", "rank 2", [[1.0], [2.0]], [[0.0], [1.0]], Tout=DType.complex64),
    *(
        case(op, "complex64", np.array([3 + 4j, -1 - 1j, 2], np.complex64), Tout=DType.float32)
        for op in ("ComplexAbs", "Real", "Imag")
    ),
    *(
        case(op, "rank 2", np.array([[5 - 12j, 1j]], np.complex64), Tout=DType.float32)
        for op in ("ComplexAbs", "Real", "Imag")
    ),
    case("Neg", "complex64", np.array([3 + 4j], np.complex64), javascript=Cannot("complex numbers are not negated")),
]
