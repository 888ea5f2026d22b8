"""Cases of arithmetic.json: two numbers become one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.conformance.case import AGREES, Cannot, Case, Const, Differs, Verdict, case

__all__ = ["CASES"]

BINARY = ("Add", "AddV2", "Sub", "Mul", "Maximum", "Minimum", "SquaredDifference", "RealDiv", "Div", "FloorDiv")
OPERANDS = {
    "float32": ([[1.5, -2.0], [0.25, 7.0]], [[0.5, 3.0], [-4.0, 2.0]]),
    "int32": ([7, -7, 6, 0], [2, 2, -4, 5]),
    "broadcast": ([[1.0, 2.0, -3.0]], [[4.0], [-0.5]]),
    "scalar": ([1.0, -2.0, 3.0], 2.0),
    "rank 4": (np.arange(24, dtype=np.float32).reshape(2, 1, 3, 4), [[[0.5]], [[-2.0]]]),
    "empty": (np.zeros((0, 3), np.float32), [1.0, 2.0, 3.0]),
}
FLOORS = Differs("an integer quotient is floored, not truncated")
WHOLE = Differs("the quotient of floats is whole, of dtype int32")
COMPLEX = (np.array([1 + 2j, -3j], np.complex64), np.array([[2 - 1j, 1 + 1j]], np.complex64))


def binary() -> Iterator[Case]:
    for op in BINARY:
        for name, (a, b) in OPERANDS.items():
            if (op, name) != ("RealDiv", "int32"):  # TensorFlow has no such kernel
                yield case(op, name, a, b, javascript=quotient(op, name))
        yield case(op, "weight", [[1.0, 4.0]], Const([[2.0, -8.0]]), javascript=quotient(op, "weight"))


def quotient(op: str, name: str) -> Verdict:
    """TensorFlow.js floors where integers are divided, and makes integers where floats are to be floored."""
    if name == "int32":
        return FLOORS if op == "Div" else AGREES
    return WHOLE if op == "FloorDiv" else AGREES


def biases() -> Iterator[Case]:
    """A bias over the last axis, and over the second where the format is NCHW."""
    for shape in [(2, 3), (2, 4, 3), (1, 2, 2, 3), (1, 2, 1, 2, 3)]:
        x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
        yield case("BiasAdd", f"rank {len(shape)}", x, Const([1.0, -2.0, 0.5]))
    yield case("BiasAdd", "NHWC", np.ones((1, 2, 2, 3), np.float32), [1.0, 2.0, 3.0], data_format="NHWC")
    yield case("BiasAdd", "int32", [[1, 2, 3]], Const([4, 5, 6]))
    yield nchw_bias("NCHW rank 3", (1, 3, 2), Cannot("the bias is added along the last axis"))
    yield nchw_bias("NCHW", (1, 2, 2, 2), Differs("the bias is added along the last axis whatever the format"))
    yield nchw_bias("NCHW of other sizes", (1, 3, 2, 2), Cannot("the bias is added along the last axis"))


def nchw_bias(name: str, shape: tuple[int, ...], javascript: Verdict) -> Case:
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    bias = np.arange(1, shape[1] + 1, dtype=np.float32)
    return case("BiasAdd", name, x, Const(bias), data_format="NCHW", javascript=javascript)


CASES = [
    *binary(),
    *biases(),
    case("AddN", "two", [1.0, 2.0], [3.0, 4.0]),
    case("AddN", "four", [1.0], [2.0], [3.0], Const([4.0])),
    case("AddN", "one", [[1.0, 2.0]]),
    case("AddN", "int32", [1, 2], [3, -4], [5, 6]),
    case("AddV2", "complex64", *COMPLEX),
    case("Mul", "complex64", *COMPLEX),
    case("Sub", "complex64", np.array([1 + 2j], np.complex64), np.array([3 - 1j], np.complex64)),
    case("Sub", "complex64 broadcast", *COMPLEX),
    case("DivNoNan", "zeros", [1.0, 0.0, -3.0, 4.0], [2.0, 0.0, 0.0, -8.0]),
    case("DivNoNan", "broadcast", [[1.0, 2.0]], [[0.0], [4.0]]),
    case("Pow", "float32", [1.5, 2.0, 0.5, 4.0], [2.0, -1.0, 3.0, 0.5]),
    case("Pow", "int32", [2, -3, 5], [3, 3, 0]),
    case("Pow", "broadcast", [[1.0, 2.0]], [[2.0], [3.0]]),
    case("Pow", "negative base", [-2.0, -8.0], [3.0, 1 / 3]),
    case("Mod", "float32", [5.5, 7.0], [2.0, 4.0]),
    case("Mod", "negative", [-5.5, 7.0], [2.0, -4.0], javascript=Differs("the sign is the divisor's")),
    case("Mod", "int32", [-7, 7], [2, -4], javascript=Differs("the sign is the divisor's")),
    case("FloorMod", "float32", [5.5, -5.5, 7.0, -7.0], [2.0, 2.0, -4.0, -4.0]),
    case("FloorMod", "int32", [5, -5, 7, -7], [2, 2, -4, -4]),
    case("FloorMod", "broadcast", [[5.0, -5.0]], [[2.0], [3.0]]),
]
