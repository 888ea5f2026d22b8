"""Arrays in short, for a person, and in full, as JSON."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np

from bundler.ir.shapes import shown

__all__ = ["document", "first_values", "range_of", "type_of"]

_FIRST = 4
"""Values that are shown of a larger array."""
_CHARACTERS = 24
"""Characters that are shown of a string."""


def type_of(array: np.ndarray) -> str:
    """Dtype and shape: `float32[1, 10]`."""
    return f"{_dtype(array)}{shown(array.shape)}"


def range_of(array: np.ndarray) -> str:
    """The smallest and the largest number that is finite, and how many are not: `-1.2 to 3, 2 NaN`."""
    if array.dtype.kind in "OSUbc" or not array.size:
        return ""
    numbers = _widened(array)
    finite = numbers[np.isfinite(numbers)]
    parts = [f"{_short(finite.min())} to {_short(finite.max())}"] if finite.size else []
    for name, count in (("NaN", np.isnan(numbers).sum()), ("infinite", np.isinf(numbers).sum())):
        parts += [f"{count:,} {name}"] if count else []
    return ", ".join(parts)


def first_values(array: np.ndarray) -> str:
    """The first values, in the order of memory: `[0.1, 0.2, 0.3, 0.4, …]`."""
    values = [_short(value) for value in _widened(array).flat[:_FIRST]]
    if array.shape == ():
        return values[0]
    return f"[{', '.join([*values, *(['…'] if array.size > _FIRST else [])])}]"


def document(array: np.ndarray) -> dict[str, Any]:
    """Dtype, shape and values in the types of JSON, which a value of `bundler run` may have.

    NaN and infinities are strings, and complex numbers too: `1+2j`. Strings that are no UTF-8 are `{"b64": …}`.
    """
    values = np.empty(array.shape, object)
    values.reshape(-1)[:] = list(map(_spelling(array), _widened(array).ravel().tolist()))
    return {"dtype": _dtype(array), "shape": list(array.shape), "values": values.tolist()}


def _dtype(array: np.ndarray) -> str:
    return "string" if array.dtype.kind in "OSU" else array.dtype.name


def _widened(array: np.ndarray) -> np.ndarray:
    """The array in a dtype that NumPy computes with."""
    return array.astype(np.float32) if array.dtype.name in ("bfloat16", "float16") else array


def _short(value: Any) -> str:
    if isinstance(value, (bytes, str)):
        text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
        return repr(text) if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]!r}…"
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    return f"{value:.4g}" if isinstance(value, (np.inexact, float, complex)) else str(value)


def _spelling(array: np.ndarray) -> Callable[[Any], Any]:
    """How the values of an array are written in JSON."""
    spellings: dict[str, Callable[[Any], Any]] = {"f": _float, "c": lambda value: str(value).strip("()")}
    return _string if _dtype(array) == "string" else spellings.get(_widened(array).dtype.kind, lambda value: value)


def _float(value: float) -> float | str:
    return value if np.isfinite(value) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]


def _string(value: bytes | str) -> str | dict[str, str]:
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}  # type: ignore[arg-type]
