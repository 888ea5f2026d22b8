"""How far two values of one output are apart, and where."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bundler.report.verification import Value

__all__ = ["Distance", "blank", "distance"]


class Distance(NamedTuple):
    """The largest difference, the same as a part of the largest expected value, its place, and the two values there.

    `why` says what differs if the values cannot be compared element by element; both distances are infinite then.
    """

    absolute: float = math.inf
    relative: float = math.inf
    at: tuple[int, ...] | None = None
    found: Value | None = None
    expected: Value | None = None
    why: str = ""


def distance(found: np.ndarray, expected: np.ndarray, *, narrow: bool = False) -> Distance:
    """How far `found` is from `expected`. NaN equals NaN, and an infinity itself.

    With `narrow`, `expected` may have the nearest dtype that JavaScript has.
    """
    if not _same_kind(found, expected, narrow):
        return Distance(why=f"is {found.dtype.name}, not {expected.dtype.name}")
    if found.shape != expected.shape:
        return Distance(why=f"has shape {list(found.shape)}, not {list(expected.shape)}")
    if not found.size:
        return Distance(0.0, 0.0)
    differences = _differences(found, expected)
    at = np.unravel_index(int(np.argmax(differences)), differences.shape)
    absolute = float(differences[at])
    place = tuple(map(int, at))
    return Distance(absolute, _part(absolute, found, expected), place, _value(found[at]), _value(expected[at]))


def blank(value: np.ndarray) -> str:
    """Why a value shows nothing of a computation, such as "zeros only"; "" if it may."""
    if not value.size:
        return "no elements"
    if value.dtype.kind not in "fciub":
        return ""
    finite = np.isfinite(value)
    if not finite.any():
        return "no finite values"
    if not np.any(value[finite]):
        return "zeros only"
    return "one value only" if value.size > 1 and np.all(value == value.flat[0]) else ""


def _same_kind(found: np.ndarray, expected: np.ndarray, narrow: bool) -> bool:
    if found.dtype == expected.dtype:
        return True
    kinds = {found.dtype.kind, expected.dtype.kind}
    return (len(kinds) == 1 or kinds <= set("iu")) if narrow else kinds <= set("OSU")


def _differences(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The absolute difference of each element; infinite for values that are not numbers."""
    if found.dtype.kind not in "fciub":
        unlike = [_text(one) != _text(other) for one, other in zip(found.flat, expected.flat)]
        return np.where(np.reshape(unlike, found.shape), math.inf, 0.0)
    one, other = _wide(found), _wide(expected)
    equal = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(all="ignore"):
        return np.asarray(np.where(equal, 0.0, np.nan_to_num(np.abs(one - other), nan=math.inf, posinf=math.inf)))


def _wide(value: np.ndarray) -> np.ndarray:
    return value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)


def _part(absolute: float, found: np.ndarray, expected: np.ndarray) -> float:
    """The difference as a part of the largest finite value that was expected, else of the largest that was found."""
    if not absolute or not math.isfinite(absolute):
        return absolute
    return absolute / (_largest(expected) or _largest(found) or 1.0)


def _largest(value: np.ndarray) -> float:
    size = np.abs(_wide(value))
    return float(np.max(size, where=np.isfinite(size), initial=0.0))


def _value(element: object) -> Value:
    if isinstance(element, (bytes, str)):
        return repr(_text(element))
    if isinstance(element, (np.bool_, np.complexfloating)):
        return str(element)
    return float(element)  # type: ignore[arg-type]


def _text(element: object) -> str:
    return element.decode("utf-8", "backslashreplace") if isinstance(element, bytes) else str(element)
