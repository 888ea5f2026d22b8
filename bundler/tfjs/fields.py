"""The JSON of a model.json, taken apart with care: it may come from anywhere.

What is not of the kind that it must be is a ConversionError that says so; the caller adds the place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from bundler.errors import ConversionError

__all__ = ["Json", "integer", "loose", "number", "of", "shown", "table", "tables", "text", "texts"]

Json: TypeAlias = Mapping[str, Any]
_Kind = TypeVar("_Kind")

_KINDS: Mapping[type, str] = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
_INT64 = range(-(1 << 63), 1 << 63)
_SHOWN = 60


def of(kind: type[_Kind], value: object, what: str) -> _Kind:
    """A value that must be of one kind; `what` tells the reader which it is."""
    if not isinstance(value, kind) or (isinstance(value, str) and not _is_unicode(value)):
        raise _wrong(what, value, _KINDS[kind])
    return value


def text(entry: Json, key: str, default: str | None = None) -> str:
    """A string; where there is none `default`, if there is one."""
    value = entry.get(key, default)
    if isinstance(value, str) and value.isascii():
        return value  # nearly always: a model has a name and an op for each of its nodes
    return of(str, value, repr(key))


def table(entry: Json, key: str) -> Json:
    """An object; an empty one where there is none. Its keys are strings that protobuf can hold."""
    found = of(dict, entry.get(key) or {}, repr(key))
    for name in found:
        if not name.isascii():
            of(str, name, f"a key of {key!r}")
    return found


def loose(entry: Json, key: str) -> Json:
    """An object; an empty one in place of any other value, which TensorFlow.js passes over."""
    found = entry.get(key)
    return found if isinstance(found, dict) else {}


def tables(entry: Json, key: str) -> list[Json]:
    """A list of objects; an empty one where there is none."""
    what = f"an item of {key!r}"
    return [of(dict, item, what) for item in of(list, entry.get(key) or [], repr(key))]


def texts(entry: Json, key: str) -> list[str]:
    """A list of strings; an empty one where there is none."""
    found = of(list, entry.get(key) or [], repr(key))
    for item in found:
        if not (isinstance(item, str) and item.isascii()):
            of(str, item, f"an item of {key!r}")
    return found


def integer(value: object) -> int:
    """A 64-bit integer: JSON's own number, or a string of digits as protobuf writes it."""
    if type(value) is int and value in _INT64:
        return value
    found = _converted(int, value)
    if found is None or found not in _INT64 or (isinstance(value, float) and value != found):
        raise _wrong("a number", value, "an integer of 64 bits")
    return found


def number(value: object) -> float:
    """A number: JSON's own, or one of protobuf's `"NaN"`, `"Infinity"`, `"-Infinity"`."""
    found = _converted(float, value)
    if found is None:
        raise _wrong("a number", value, "a number")
    return found


def shown(value: object) -> str:
    """A value as JSON, its first 60 characters; "nothing" for null."""
    try:
        # Piece by piece: the value may be too large, or nested too deeply, to be written as a whole.
        spelled = "".join(islice(json.JSONEncoder().iterencode(value), _SHOWN))[:_SHOWN]
    except ValueError:
        return "an integer of thousands of digits"
    return "nothing" if value is None else spelled


def _converted(kind: Callable[[Any], _Kind], value: object) -> _Kind | None:
    """`kind(value)` where that means something: Python would take true for 1."""
    try:
        # Python would read "1_000", too.
        return None if isinstance(value, bool) or (isinstance(value, str) and "_" in value) else kind(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _wrong(what: str, value: object, expected: str) -> ConversionError:
    return ConversionError(f"{what} is of the wrong kind", found=shown(value), expected=expected)


def _is_unicode(value: str) -> bool:
    """JSON can spell halves of characters, surrogates, which no UTF-8 holds."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
