"""What the cases of convolutions and pools share: images, paddings, formats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, Shape, Value, new_node
from tests.conformance.case import AGREES, Cannot, Case, Const, Differs, Verdict, case, one

__all__ = [
    "EXPLICIT",
    "MIXED",
    "PADS",
    "TOLERANCE",
    "UNKNOWN",
    "VOLUME",
    "X",
    "both",
    "channels_first",
    "first",
    "first_attrs",
    "plane",
    "transposed",
    "wave",
]


def wave(*shape: int) -> np.ndarray:
    """Numbers from -1 to 1, none like another."""
    return np.sin(np.arange(math.prod(shape), dtype=np.float32)).reshape(shape)


TOLERANCE = 1e-4
X, VOLUME = wave(2, 7, 6, 2), wave(2, 4, 5, 6, 2)
UNKNOWN: dict[str, Shape] = {"x": (None, None, None, 2)}
EXPLICIT = [0, 0, 1, 2, 0, 3, 0, 0]
PADS: dict[str, dict[str, Value]] = {
    "SAME": {"padding": "SAME"},
    "VALID": {"padding": "VALID"},
    "EXPLICIT": {"padding": "EXPLICIT", "explicit_paddings": EXPLICIT},
}
MIXED = Differs("the format is not read, or strides and dilations are read as those of NHWC")


def plane(height: int, width: int) -> list[int]:
    """Strides, dilations or sizes in NHWC."""
    return [1, height, width, 1]


def first(x: np.ndarray) -> np.ndarray:
    """An image with its channels before height and width."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


def both(stride: int, rate: int) -> Verdict:
    """What TensorFlow.js makes of a stride and a dilation."""
    return Cannot("a stride and a dilation exclude each other") if stride > 1 and rate > 1 else AGREES


def channels_first(
    op: str,
    name: str,
    x: np.ndarray,
    *further: Const,
    outputs: Sequence[str] | None = None,
    javascript: Verdict = AGREES,
    **attrs: Any,
) -> Case:
    """An op in NCHW or NCDHW, its attributes given in NHWC or NDHWC."""
    meaning = transposed(op, "y", x, *further, **attrs)
    how: dict[str, Any] = {"meaning": meaning, "tolerance": TOLERANCE, "javascript": javascript, "outputs": outputs}
    return case(op, name, first(x), *further, **how, **first_attrs(x, **attrs))


def transposed(op: str, name: str, x: np.ndarray, *further: Const, **attrs: Any) -> list[Node]:
    """What an op in NCHW means: the op in NHWC between two transpositions, the last of them called `name`."""
    inputs: dict[str, np.ndarray | Const] = {"last": x}
    inputs |= {f"x{at}": given for at, given in enumerate(further, 1)}
    types = {"T": DType.float32, "Tperm": DType.int32}
    return [
        _permutation("to_last", [0, *range(2, x.ndim), 1]),
        _permutation("to_first", [0, x.ndim - 1, *range(1, x.ndim - 1)]),
        new_node("Transpose", "last", ["x", "to_last"], **types),
        one(op, "plain", inputs, **attrs, data_format="NHWC" if x.ndim == 4 else "NDHWC"),
        new_node("Transpose", name, ["plain", "to_first"], **types),
    ]


def first_attrs(x: np.ndarray, **attrs: Any) -> dict[str, Any]:
    """The attributes of an op in NHWC in the other order."""
    moved = {key: _moved(key, value) if isinstance(value, list) else value for key, value in attrs.items()}
    return {**moved, "data_format": "NCHW" if x.ndim == 4 else "NCDHW"}


def _permutation(name: str, order: list[int]) -> Node:
    return new_node("Const", name, dtype=DType.int32, value=np.array(order, np.int32))


def _moved(key: str, value: list[int]) -> list[int]:
    """A list by dimension with its last entry, or pair of entries, after the first."""
    step = 2 if key == "explicit_paddings" else 1
    return [*value[:step], *value[-step:], *value[step:-step]]
