"""What is computed from sizes: in Python if they are known, else in the graph, with doubles as JavaScript does."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import TypeAlias

from bundler.drafting.tensors import Size, size
from bundler.drafting.value import Value
from bundler.ir.dtypes import DType
from bundler.steps.scope import Scope

__all__ = [
    "Real",
    "add",
    "divide",
    "floor",
    "largest",
    "multiply",
    "real",
    "rounded",
    "side",
    "smallest",
    "subtract",
    "whole",
]

Real: TypeAlias = "float | Value"
"""A number: known, or a scalar of the graph."""

_KNOWN: Mapping[str, Callable[..., float]] = {
    "AddV2": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "RealDiv": operator.truediv,
    "Floor": math.floor,
    "Maximum": max,
    "Minimum": min,
}


def side(scope: Scope, images: Value, axis: int) -> Real:
    """The size of an axis."""
    return real(scope, size(scope, images, axis))


def real(scope: Scope, size: Size) -> Real:
    """A size as a real number."""
    return scope.op("Cast", size, DstT=scope.real) if isinstance(size, Value) else float(size)


def whole(scope: Scope, number: Real) -> Size:
    """A number without its fraction, as a size."""
    return scope.op("Cast", number, DstT=DType.int32) if isinstance(number, Value) else int(number)


def add(scope: Scope, one: Real, other: Real) -> Real:
    """One + other"""
    return _computed(scope, "AddV2", one, other)


def subtract(scope: Scope, one: Real, other: Real) -> Real:
    """One - other"""
    return _computed(scope, "Sub", one, other)


def multiply(scope: Scope, one: Real, other: Real) -> Real:
    """One * other"""
    return _computed(scope, "Mul", one, other)


def divide(scope: Scope, one: Real, other: Real) -> Real:
    """One / other"""
    if isinstance(one, Value) and not isinstance(other, Value):
        return scope.divide(one, other)
    return _computed(scope, "RealDiv", one, other)


def largest(scope: Scope, one: Real, other: Real) -> Real:
    """The larger of two."""
    return _computed(scope, "Maximum", one, other)


def smallest(scope: Scope, one: Real, other: Real) -> Real:
    """The smaller of two."""
    return _computed(scope, "Minimum", one, other)


def floor(scope: Scope, number: Real) -> Real:
    """The largest whole number that is not larger."""
    return _computed(scope, "Floor", number)


def rounded(scope: Scope, number: Real) -> Real:
    """JavaScript's `Math.round`: halves go up."""
    return floor(scope, add(scope, number, 0.5))


def _computed(scope: Scope, op: str, *operands: Real) -> Real:
    if not any(isinstance(operand, Value) for operand in operands):
        return float(_KNOWN[op](*operands))
    return scope.op(op, *operands)
