"""The meaning of an op if TensorFlow lacks it, or lacks a kernel for it on some machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, new_node

__all__ = ["depthwise", "prelu", "the_value"]


def the_value(array: np.ndarray, name: str = "y") -> list[Node]:
    """The meaning of a node whose result NumPy computes."""
    return [new_node("Const", name, dtype=DType.parse(array.dtype.name), value=array)]


def prelu(x: str, alpha: str, y: str = "y") -> list[Node]:
    """What Prelu means: x where it is positive, alpha x elsewhere."""
    return [
        new_node("ZerosLike", "zero", [x], T=DType.float32),
        new_node("Greater", "positive", [x, "zero"], T=DType.float32),
        new_node("Mul", "scaled", [x, alpha], T=DType.float32),
        new_node("SelectV2", y, ["positive", x, "scaled"], T=DType.float32),
    ]


def depthwise(
    x: np.ndarray, w: np.ndarray, pad: Mapping[str, Any], strides: tuple[int, int], rates: tuple[int, int]
) -> np.ndarray:
    """A depthwise convolution: image [n, h, w, c], filter [h, w, c, m], result [n, h', w', c * m]."""
    around = [_around(pad, axis, x.shape[axis + 1], w.shape[axis], strides[axis], rates[axis]) for axis in (0, 1)]
    x = np.pad(x.astype(np.float64), [(0, 0), *around, (0, 0)])
    spans = [x.shape[axis + 1] - (w.shape[axis] - 1) * rates[axis] for axis in (0, 1)]
    made = sum(
        x[:, i * rates[0] :, j * rates[1] :][:, : spans[0] : strides[0], : spans[1] : strides[1], :, None] * w[i, j]
        for i in range(w.shape[0])
        for j in range(w.shape[1])
    )
    return np.asarray(made).reshape(*np.shape(made)[:3], -1).astype(np.float32)


def _around(pad: Mapping[str, Any], axis: int, size: int, taps: int, stride: int, rate: int) -> tuple[int, int]:
    """The padding before and after."""
    if pad["padding"] == "EXPLICIT":
        before, after = pad["explicit_paddings"][2 + 2 * axis : 4 + 2 * axis]
        return before, after
    if pad["padding"] == "VALID":
        return 0, 0
    lacking = max(0, (-(-size // stride) - 1) * stride + (taps - 1) * rate + 1 - size)
    return lacking // 2, lacking - lacking // 2
