"""Values of a model.json, which is untrusted, with checks of their kinds.

A value of the wrong kind is a ConversionError; the caller adds the place.
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
    """A value that must be of one kind. `what` names the value in errors."""
    if not isinstance(value, kind) or (isinstance(value, str) and not _is_unicode(value)):
        raise _wrong(what, value, _KINDS[kind])
    return value


def text(entry: Json, key: str, default: str | None = None) -> str:
    """A string; without one, `default` unless that is None."""
    value = entry.get(key, default)
    if isinstance(value, str) and value.isascii():
        return value  # the usual case, for speed: each node has a name and an op
    return of(str, value, repr(key))


def table(entry: Json, key: str) -> Json:
    """An object; an empty one if the key is missing. Its keys are strings that protobuf can hold."""
    found = of(dict, entry.get(key) or {}, repr(key))
    for name in found:
        if not name.isascii():
            of(str, name, f"a key of {key!r}")
    return found


def loose(entry: Json, key: str) -> Json:
    """An object; an empty one in place of any other value, which TensorFlow.js ignores."""
    found = entry.get(key)
    return found if isinstance(found, dict) else {}


def tables(entry: Json, key: str) -> list[Json]:
    """A list of objects; an empty one if the key is missing."""
    found = of(list, entry.get(key) or [], repr(key))
    for item in found:
        if not isinstance(item, dict):
            of(dict, item, f"an item of {key!r}")
    return found


def texts(entry: Json, key: str) -> list[str]:
    """A list of strings; an empty one if the key is missing."""
    found = of(list, entry.get(key) or [], repr(key))
    for item in found:
        if not (isinstance(item, str) and item.isascii()):
            of(str, item, f"an item of {key!r}")
    return found


def integer(value: object) -> int:
    """A 64-bit integer: a number of JSON, or a string of digits as protobuf writes it."""
    if type(value) is int and value in _INT64:
        return value
    found = _converted(int, value)
    if found is None or found not in _INT64 or (isinstance(value, float) and value != found):
        raise _wrong("a number", value, "an integer of 64 bits")
    return found


def number(value: object) -> float:
    """A number: one of JSON, or protobuf's `"NaN"`, `"Infinity"`, `"-Infinity"`."""
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
    """`kind(value)`; None if the value is no such number. Python would accept true as 1."""
    try:
        # Python would also accept "1_000".
        return None if isinstance(value, bool) or (isinstance(value, str) and "_" in value) else kind(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _wrong(what: str, value: object, expected: str) -> ConversionError:
    return ConversionError(f"{what} is of the wrong kind", found=shown(value), expected=expected)


def _is_unicode(value: str) -> bool:
    """Whether UTF-8 can encode a string: JSON can spell single surrogates, which it cannot."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
