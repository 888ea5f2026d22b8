"""Pydantic's errors in a manifest as faults, in words for the person who wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from bundler.errors import Fault, Key, Place, closest, nearest

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["DIGEST", "FILE_NAME", "SCOPE", "Keys", "shape_faults"]

# Names that begin with `_` are TensorFlow's own: it refuses to import a graph with others of them.
SCOPE = r"^[A-Za-z0-9]([A-Za-z0-9_./\-]*[A-Za-z0-9_.\-])?$"
FILE_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$"
DIGEST = r"^sha256:[0-9A-Fa-f]{64}$"

_PATTERNS = {
    SCOPE: "letters, digits and _ . - /, beginning with a letter or digit, not ending in /",
    FILE_NAME: "letters, digits and _ . -, beginning with a letter, digit or _",
    DIGEST: "sha256: and 64 hexadecimal digits",
}

_Path = tuple[str, ...]
Keys = Mapping[_Path, Sequence[str]]
"""The keys that a table may have, by the names that lead to it."""


class _Wording(NamedTuple):
    what: str
    expected: str = ""
    shows_found: bool = True


# By pydantic's type of error: https://docs.pydantic.dev/latest/errors/validation_errors/
_WORDINGS = {
    "missing": _Wording("is required", shows_found=False),
    "extra_forbidden": _Wording("is not a known key", shows_found=False),
    "string_type": _Wording("has the wrong type", "a string"),
    "string_unicode": _Wording("has bytes that are no UTF-8"),
    "path_type": _Wording("has the wrong type", "a string"),
    "int_type": _Wording("has the wrong type", "an integer"),
    "tuple_type": _Wording("has the wrong type", "an array"),
    "mapping_type": _Wording("has the wrong type", "a table"),
    "dict_type": _Wording("has the wrong type", "a table"),
    "model_type": _Wording("has the wrong type", "a table"),
    "string_too_short": _Wording("is empty", shows_found=False),
    "too_short": _Wording("is empty", "at least one entry", shows_found=False),
    "string_pattern_mismatch": _Wording("is not a legal value", "{pattern}"),
    "greater_than_equal": _Wording("is too small", "{ge} or more"),
    "less_than_equal": _Wording("is too large", "{le} or less"),
    "too_long": _Wording("is too long", "at most {max_length} entries", shows_found=False),
    "string_too_long": _Wording("is too long", "{max_length} characters or less"),
    "range": _Wording("is no range", "{expected}, as in [-1, 1]"),
    "shape": _Wording("has too many elements", "fewer than 2^63 in all", shows_found=False),
    "value": _Wording("has the wrong type", "{expected}"),
    "float_type": _Wording("has the wrong type", "a number"),
    "finite_number": _Wording("is not a legal value", "a finite number"),
    "nul": _Wording("has a NUL character"),
    "bool_type": _Wording("has the wrong type", "true or false"),
    "bool_parsing": _Wording("has the wrong type", "true or false"),
    "tensor_type": _Wording("is not the type of a tensor", "such as string, string[?] or float32[1, ?, ?, 3]"),
    "union_tag_not_found": _Wording("is no step", "a table with op, call or map"),
    "union_tag_invalid": _Wording("there is no such step", shows_found=False),
    "literal_error": _Wording("is not one of the choices", "{expected}"),
    "enum": _Wording("is not one of the choices", "{expected}"),
}

_IN_MAPS = "a map has ops only: take calls and maps out of it"

_BRACKETS: Mapping[_Path, str] = {
    ("model",): "write [[model]], with two brackets",
    ("model", "signature"): "write [[model.signature]], with two brackets",
    ("signature",): "write [[signature]], with two brackets",
    ("check",): "write [[check]], with two brackets",
    ("bundle",): "write [bundle], with single brackets",
}
_SINGLE = ("bundle",)
"""The tables that are no entries of an array."""
_EXAMPLES: Mapping[_Path, str] = {
    ("bundle",): 'a manifest has one table [bundle], with a name: name = "pets"',
    ("model",): "a manifest has a table [[model]] for each model, with its name and its source",
}
_SIZES: Mapping[_Path, str] = {("model", "shapes"): "-1 is an unknown size"}
_SHOWN = 80
"""Characters of a value that a message shows."""


def shape_faults(error: ValidationError, keys: Keys) -> list[Fault]:
    """Pydantic's errors as faults. `keys` are the keys that a table may have, by the names that lead to it."""
    # Pydantic counts only the entries that passed: an array of one bad entry is not also empty.
    details = [detail for detail in error.errors() if detail["type"] != "too_short" or not detail["input"]]
    meant = {(*detail["loc"][:-1], _meant(detail, keys)) for detail in details if detail["type"] == "extra_forbidden"}
    return [_fault(detail, keys) for detail in details if detail["type"] != "missing" or detail["loc"] not in meant]


def _meant(detail: ErrorDetails, keys: Keys) -> str:
    """The key of which an unknown one is probably a misspelling; empty if there is none. A key that is missing wins."""
    return nearest(str(detail["loc"][-1]), _known(keys, _names(detail)[:-1]))


def _names(detail: ErrorDetails) -> _Path:
    """The names that lead to an error, without the indices."""
    return tuple(part for part in detail["loc"] if isinstance(part, str))


def _fault(detail: ErrorDetails, keys: Keys) -> Fault:
    wording = _WORDINGS.get(detail["type"], _Wording(detail["msg"]))
    context = dict(detail.get("ctx", {}))
    context["pattern"] = _PATTERNS.get(context.get("pattern", ""), "")
    tag = repr(context["tag"]) if detail["type"] == "union_tag_invalid" else ""
    return Fault(
        wording.what,
        found=_spell(detail["input"]) if wording.shows_found else tag,
        expected=wording.expected.format(**context),
        hint=_hint(detail, keys),
        place=Place(_keys(detail["loc"])),
    )


def _keys(location: tuple[Key, ...]) -> tuple[Key, ...]:
    """The keys of pydantic's location in the manifest. A text may stand for a table with one entry, whose key is ""."""
    keys = tuple(part for at, part in enumerate(location) if not _is_tag(location, at))
    return keys[:-1] if keys[-1:] == ("",) else keys


def _is_tag(location: Sequence[Key], at: int) -> bool:
    """Whether pydantic put in the kind of a step there: `("steps", 2, "top_k", "labels")`."""
    return at >= 2 and location[at - 2] in ("steps", "map") and isinstance(location[at - 1], int)


def _hint(detail: ErrorDetails, keys: Keys) -> str:
    path, kind, value = _names(detail), detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return _hint_for_key(path, keys)
    if kind == "union_tag_invalid":
        tag, known = detail["ctx"]["tag"], re.findall(r"'([^']*)'", detail["ctx"]["expected_tags"])
        return _IN_MAPS if tag in ("call", "map") else closest(tag, known)
    if kind in ("literal_error", "enum"):
        return closest(str(value).lower(), re.findall(r"'([^']*)'", detail["ctx"]["expected"]))
    if kind == "missing":
        return _EXAMPLES.get(path, "")
    if kind in ("tuple_type", "model_type") and path in _BRACKETS:
        return _BRACKETS[path]
    return _hint_for_text(kind, path, value) if isinstance(value, str) and len(value) <= _SHOWN else ""


def _hint_for_text(kind: str, path: _Path, value: str) -> str:
    """For a string in place of an array or an integer: the same in the right type."""
    if kind == "tuple_type":
        return f"write [{json.dumps(value, ensure_ascii=False)}]"
    if kind == "int_type":
        return f"write {value}, without quotes" if re.fullmatch(r"-?\d+", value) else _SIZES.get(path[:2], "")
    return ""


def _hint_for_key(path: _Path, keys: Keys) -> str:
    """For an unknown key: the one that was meant, the table that has it, or the keys of this table."""
    *_, key = path
    known = _known(keys, path[:-1])
    others = [table for table in sorted(keys) if key in keys[table] and table and "steps" not in table]
    if others and not nearest(key, known):
        return f"it belongs to {' or '.join(map(_header, others))}"
    return closest(key, known) or f"the keys here are {', '.join(known)}"


def _header(table: _Path) -> str:
    return f"[{'.'.join(table)}]" if table[0] in _SINGLE else f"[[{'.'.join(table)}]]"


def _known(keys: Keys, table: _Path) -> Sequence[str]:
    """The keys of a table; those of a table that the user names stand under `*`."""
    any_name = (*table[:-1], "*")
    return keys[table] if table in keys else keys[any_name]


def _spell(value: object) -> str:
    """A value as a message shows it: a table or an array by its kind, others as written, but not longer than that."""
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "an array"
    if isinstance(value, bool):
        return str(value).lower()
    spelled = repr(value) if isinstance(value, str) else str(value)
    return spelled if len(spelled) <= _SHOWN else f"{spelled[: _SHOWN - 4]}…"
