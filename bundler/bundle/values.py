"""Values for the inputs of a signature: what a caller gives becomes an array of the input's dtype and shape.

A value keeps its meaning or is refused: a fraction never becomes an integer, a number never one that is out of range.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.model import TensorSpec
from bundler.ir.nodes import Shape
from bundler.ir.shapes import shown
from bundler.runtimes.tensors import numpy_dtype

__all__ = ["fitted", "spelled_type"]

_LEVELS = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
"""Kinds of NumPy's numbers. A value may become one of a higher level, or of its own."""
_SHOWN = 60
"""Characters of a value that an error shows."""


def fitted(value: object, spec: TensorSpec) -> np.ndarray:
    """The array for an input: numbers, or for strings an object array of bytes. Lists and NumPy's arrays are values.

    A value that lacks only the batch dimension gets one. Raises BundlerError if dtype or shape do not fit.
    """
    if spec.dtype is None:
        raise BundlerError("the input has a dtype that bundler does not know")
    return _shaped(_strings(value) if spec.dtype == DType.string else _numbers(value, spec.dtype), spec)


def spelled_type(spec: TensorSpec) -> str:
    """Dtype and shape in one text: `float32[1, ?, ?, 3]`; `float32 ?` for an unknown rank."""
    return f"{spec.dtype or '?'}{' ?' if spec.shape is None else shown(spec.shape)}"


# Numbers -----------------------------------------------------------------------------------------


def _numbers(value: object, dtype: DType) -> np.ndarray:
    wanted = numpy_dtype(dtype)
    found = _array(value)
    if dtype.name.startswith("complex") and found.dtype.kind == "U":
        found = _parsed_complex(found)
    if found.size == 0:
        return np.zeros(found.shape, wanted)
    if found.dtype.name == DType.bfloat16.name:  # NumPy does not know that it is a float
        found = found.astype(np.float32)
    if _LEVELS.get(found.dtype.kind, 9) > _LEVELS.get(wanted.kind, _LEVELS["f"]):
        raise BundlerError("the dtype does not fit", found=_named(found), expected=str(dtype))
    return _cast(found, wanted, dtype)


def _array(value: object) -> np.ndarray:
    try:
        return np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        hint = "its rows may have different lengths"
        raise BundlerError("this is no array", found=_shown(value), hint=hint) from None


def _parsed_complex(texts: np.ndarray) -> np.ndarray:
    try:
        return np.array([complex(text) for text in texts.flat], complex).reshape(texts.shape)
    except ValueError:
        raise BundlerError("this is no complex number", found=_shown(texts), expected="1+2j") from None


def _cast(found: np.ndarray, wanted: np.dtype, dtype: DType) -> np.ndarray:
    if wanted.kind in "ui" and found.dtype.kind in "ui":
        limits = np.iinfo(wanted)
        _refuse_outside(found, (found < limits.min) | (found > limits.max), dtype)
        return found.astype(wanted)
    with np.errstate(over="ignore"):
        cast = found.astype(wanted)
    if wanted.kind not in "bui":
        _refuse_outside(found, np.isfinite(found) & ~np.isfinite(cast), dtype)
    return cast


def _refuse_outside(found: np.ndarray, outside: np.ndarray, dtype: DType) -> None:
    if outside.any():
        raise BundlerError(f"a number is out of the range of {dtype}", found=str(found[outside].flat[0]))


def _named(found: np.ndarray) -> str:
    """What an array holds, in an error: its dtype, or for anything but numbers its beginning."""
    return found.dtype.name if found.dtype.kind in _LEVELS else _shown(found)


def _shown(value: object) -> str:
    text = repr(value.tolist() if isinstance(value, np.ndarray) else value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


# Strings -----------------------------------------------------------------------------------------


def _strings(value: object) -> np.ndarray:
    found = np.array(value, object)
    made = np.empty(found.shape, object)
    made.reshape(-1)[:] = [_encoded(item) for item in found.flat]
    return made


def _encoded(item: object) -> bytes:
    if isinstance(item, bytes):
        return item
    if not isinstance(item, str):
        raise BundlerError("this is no string", found=_shown(item), expected="text or bytes")
    try:
        return item.encode(errors="surrogateescape")  # bytes of an argument that are no UTF-8
    except UnicodeEncodeError:
        raise BundlerError("this text has half a character", found=ascii(item)[:_SHOWN]) from None


# Shapes ------------------------------------------------------------------------------------------


def _shaped(found: np.ndarray, spec: TensorSpec) -> np.ndarray:
    if spec.shape is None or _fits(found.shape, spec.shape):
        return found
    if found.size and _fits((1, *found.shape), spec.shape):
        return found[np.newaxis]
    if found.shape == (0,) and _is_empty_batch(spec.shape):
        return found.reshape(0, *spec.shape[1:])
    raise BundlerError("the shape does not fit", found=shown(found.shape), expected=shown(spec.shape))


def _fits(found: Sequence[int], shape: Shape) -> bool:
    return len(found) == len(shape) and all(size in (None, given) for given, size in zip(found, shape))


def _is_empty_batch(shape: Shape) -> bool:
    """Whether `[]` can be a batch of no rows: the sizes of a row are known."""
    return bool(shape) and shape[0] is None and None not in shape[1:]
