"""Readers of options: each takes one value of a configuration and returns a value of its own making.

A reader accepts exactly what the writers of its option write, and raises ConversionError for the rest. It never
returns, copies or prints a list or an object of the file: these can be of any size and depth.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from bundler.errors import ConversionError, closest
from bundler.tfjs.layers.description import Value

__all__ = [
    "RANK",
    "SHOWN",
    "Reader",
    "dtype",
    "equation",
    "flag",
    "items",
    "letters",
    "maybe",
    "name",
    "nested",
    "number",
    "numbers",
    "one_of",
    "pairs",
    "shape",
    "shape_or_size",
    "shown",
    "sizes",
    "table",
    "target",
    "whole",
    "wholes",
    "wrong",
]

Reader: TypeAlias = Callable[[object], Value]

_LARGEST = 2**31 - 1
"""The largest size of a dimension: TensorFlow's kernels count in 32 bits."""
RANK = 16
"""More dimensions than any layer takes."""
_EQUATION = re.compile(r"(\.\.\.)?[a-zA-Z]+(\.\.\.)?,[a-zA-Z]+->(\.\.\.)?[a-zA-Z]+(\.\.\.)?")
_LENGTH = 255
"""Characters of a name."""
SHOWN = 60
"""Characters of a value that an error shows."""

_DTYPES = {
    *("float16", "bfloat16", "float32", "float64", "bool", "string", "complex64", "complex128"),
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}


def wrong(value: object, expected: str, hint: str = "") -> ConversionError:
    """The error for a value that is not what its reader expected."""
    return ConversionError("a field of the configuration is wrong", found=shown(value), expected=expected, hint=hint)


def shown(value: object) -> str:
    """A few characters that describe a value of any size."""
    if isinstance(value, str):
        return ascii(value[:SHOWN])
    if isinstance(value, (Mapping, list)):
        return f"{'an object' if isinstance(value, Mapping) else 'a list'} of {len(value)}"
    if isinstance(value, int) and value.bit_length() > 64:
        return f"a number of {value.bit_length()} bits"
    return "null" if value is None else str(value).lower()


def table(value: object) -> Mapping[str, Any]:
    """An object of the file, to be read field by field."""
    if not isinstance(value, dict):
        raise wrong(value, "an object")
    return value


def items(value: object, most: int = _LARGEST) -> list[Any]:
    """A list of the file, to be read item by item."""
    if not isinstance(value, list):
        raise wrong(value, "a list")
    if len(value) > most:
        raise wrong(value, f"a list of at most {most}")
    return value


def flag(value: object) -> bool:
    """True or false."""
    if value is True or value is False:
        return value
    raise wrong(value, "true or false")


def number(value: object) -> float:
    """A finite number, an integer where one is written: Keras casts these in the graph."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and _is_finite(value):
        return value
    raise wrong(value, "a finite number")


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def numbers(value: object) -> float | tuple[float, ...]:
    """A finite number, or a list of them."""
    return tuple(number(item) for item in items(value, 4096)) if isinstance(value, list) else number(value)


def whole(least: int = 0, most: int = _LARGEST) -> Callable[[object], int]:
    """Integers of a range."""

    def read(value: object) -> int:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most:
            found = int(value)
            if found == value:
                return found
        raise wrong(value, f"an integer from {least} to {most}")

    return read


def wholes(least: int, most: int = _LARGEST) -> Callable[[object], int | tuple[int, ...]]:
    """An integer of a range, or a list of them."""
    one = whole(least, most)
    return lambda value: tuple(one(item) for item in items(value, RANK)) if isinstance(value, list) else one(value)


def sizes(rank: int, least: int = 1) -> Callable[[object], tuple[int, ...]]:
    """A size for each of `rank` dimensions; one number stands for all of them."""
    one = whole(least)

    def read(value: object) -> tuple[int, ...]:
        if not isinstance(value, list):
            return (one(value),) * rank
        if len(value) != rank:
            raise wrong(value, f"{rank} integers")
        return tuple(one(item) for item in value)

    return read


def pairs(rank: int) -> Callable[[object], tuple[tuple[int, ...], ...]]:
    """Two numbers (before, after) for each of `rank` dimensions; one number stands for two, or for all of them."""
    pair = sizes(2, 0)

    def read(value: object) -> tuple[tuple[int, ...], ...]:
        if rank == 1 or not isinstance(value, list):
            return (pair(value),) * rank
        if len(value) != rank:
            raise wrong(value, f"{rank} pairs of integers")
        return tuple(pair(item) for item in value)

    return read


def equation(value: object) -> str:
    """An equation of Einsum with two inputs: letters, and an ellipsis at one end."""
    if isinstance(value, str) and len(value) <= _LENGTH:
        plain = value.replace(" ", "")
        if _EQUATION.fullmatch(plain):
            return plain
    raise wrong(value, "an equation such as 'ab,bc->ac'")


def letters(value: object) -> str:
    """Letters that name dimensions."""
    if isinstance(value, str) and value.isascii() and value.isalpha() and len(value) <= RANK:
        return str(value)
    raise wrong(value, "letters")


def nested(value: object) -> float | tuple[Any, ...]:
    """A finite number, or lists of them of any depth."""
    return tuple(nested(item) for item in items(value, 65536)) if isinstance(value, list) else number(value)


def shape(value: object) -> tuple[int | None, ...]:
    """Sizes of dimensions, None for those that are unknown. TensorFlow crashes on more elements than 32 bits count."""
    one = whole()
    found = tuple(None if item is None else one(item) for item in items(value, RANK))
    if math.prod(size or 1 for size in found) > _LARGEST:
        raise wrong(value, f"a shape of at most {_LARGEST} elements")
    return found


def shape_or_size(value: object) -> tuple[int | None, ...]:
    """A shape; one number stands for a list of it."""
    return shape(value if isinstance(value, list) else [value])


def target(value: object) -> tuple[int, ...]:
    """The shape of a `Reshape`, -1 for the size that follows from the others: JavaScript writes null."""
    one = whole(-1)
    return tuple(-1 if item is None else one(item) for item in items(value, RANK))


def maybe(read: Reader) -> Reader:
    """What `read` accepts, and null."""
    return lambda value: None if value is None else read(value)


def one_of(*names: str | None) -> Callable[[object], str | None]:
    """One of these names, in upper or lower case: the table's own string."""
    known = {name and name.lower(): name for name in names}

    def read(value: object) -> str | None:
        asked = value.lower() if isinstance(value, str) and len(value) <= _LENGTH else value
        if asked is None or isinstance(asked, str):
            for spelled, own in known.items():
                if spelled == asked:
                    return own
        near = closest(asked, [name for name in names if name]) if isinstance(asked, str) else ""
        raise wrong(value, _listed(names), near)

    return read


def _listed(names: tuple[str | None, ...]) -> str:
    listed = [name or "null" for name in names]
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"


def name(value: object) -> str:
    """The name of a layer or a model: one to 255 printable characters."""
    if isinstance(value, str) and 0 < len(value) <= _LENGTH and value.isprintable():
        return str(value)
    raise wrong(value, f"a name of 1 to {_LENGTH} printable characters")


def dtype(value: object) -> str:
    """The name of a dtype, or a policy that has one. TensorFlow.js computes in float32 if the policy is a mixed one."""
    if isinstance(value, dict):
        value = table(value.get("config")).get("name")
    if isinstance(value, str) and value in ("mixed_float16", "mixed_bfloat16"):
        return "float32"
    found = one_of(*sorted(_DTYPES))(value)
    assert found is not None
    return found
