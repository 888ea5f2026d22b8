"""How far two results are apart, and how a reader sees it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["apart", "contrast", "farthest"]


def farthest(found: Sequence[np.ndarray], right: Sequence[np.ndarray], *, narrow: bool = False) -> float:
    """The largest distance between the outputs of two runs."""
    if len(found) != len(right):
        return math.inf
    return max((apart(*pair, narrow=narrow) for pair in zip(found, right)), default=0.0)


def apart(found: np.ndarray, right: np.ndarray, *, narrow: bool = False) -> float:
    """The largest |found - right| / max(1, |right|); infinite if dtypes, shapes, or any whole values differ.

    NaN is NaN, and infinity infinity. With `narrow`, `found` may have the nearest dtype that TensorFlow.js has.
    """
    same = found.dtype.kind == right.dtype.kind if narrow else found.dtype == right.dtype
    if not same and not (narrow and {found.dtype.kind, right.dtype.kind} <= set("iu")):
        return math.inf
    if found.shape != right.shape:
        return math.inf
    if right.dtype.kind not in "fc":
        return 0.0 if np.array_equal(found, right) else math.inf
    return _relative(found, right)


def _relative(found: np.ndarray, right: np.ndarray) -> float:
    wide = np.complex128 if right.dtype.kind == "c" else np.float64
    a, b = found.astype(wide), right.astype(wide)
    equal = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(all="ignore"):
        distance = np.where(equal, 0.0, np.abs(a - b) / np.maximum(1, np.abs(b)))
    return float(np.max(np.nan_to_num(distance, nan=np.inf), initial=0.0))


def contrast(found: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> tuple[str, str]:
    """Two differing results in few words: the dtypes or shapes that differ, else the first elements that do."""
    for a, b in zip(found, right):
        if apart(a, b, narrow=True) == 0:
            continue
        if a.shape != b.shape:
            return f"shape {_shape(a)}", f"shape {_shape(b)}"
        if a.dtype.kind != b.dtype.kind and {a.dtype.kind, b.dtype.kind} - set("iu"):
            return f"{a.dtype.name} {_values(a)}", f"{b.dtype.name} {_values(b)}"
        unlike = np.array([apart(x, y, narrow=True) > 1e-5 for x, y in zip(_flat(a), _flat(b))])
        return _values(a.ravel()[unlike]), _values(b.ravel()[unlike])
    return f"{len(found)} outputs", f"{len(right)} outputs"


def _flat(value: np.ndarray) -> list[np.ndarray]:
    return [value.reshape(-1)[at : at + 1] for at in range(value.size)]


def _shape(value: np.ndarray) -> str:
    return "[" + ", ".join(map(str, value.shape)) + "]"


def _values(value: np.ndarray, most: int = 4) -> str:
    shown = [_one(item) for item in value.ravel()[:most]]
    return ", ".join([*shown, "…"] if value.size > most else shown) or "nothing"


def _one(item: object) -> str:
    if isinstance(item, bytes):
        return repr(item.decode(errors="replace"))
    if isinstance(item, (np.floating, np.complexfloating)):
        return f"{item + 0:.3g}"
    return str(item)
