"""A value as a person writes it into a command: a number, JSON, text, or the name of a file."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from pathlib import Path
from typing import NamedTuple

from bundler.errors import BundlerError
from bundler.ir.dtypes import DType

__all__ = ["FORMS", "File", "decoded", "parsed"]

FORMS = "a number, JSON, or a file: .npy, .npz, .json, .jpg, .png, .gif or .bmp"

_SUFFIXES = (".npy", ".npz", ".json", ".jpg", ".jpeg", ".png", ".gif", ".bmp")
_IN_ARCHIVE = re.compile(r"(?P<path>.+\.npz)\[(?P<member>.*)\]", re.DOTALL | re.IGNORECASE)
_WORDS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
"""Numbers that JSON spells in another way, or not at all."""
_SHOWN = 60


class File(NamedTuple):
    """A file that holds a value; of an archive, the array `member`."""

    path: Path
    member: str = ""


def parsed(text: str, dtype: DType | None) -> object:
    """The value, for an input of this dtype. Raises BundlerError if it is neither a number nor the name of a file.

    A string input takes any text; JSON strings and lists of them have their meaning.
    """
    file = _file(text)
    if file is not None:
        return file
    if dtype == DType.string:
        return _strings(text)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return _number(text, is_complex=dtype in (DType.complex64, DType.complex128))


def decoded(document: object) -> object:
    """A JSON document with bytes in place of `{"b64": "…"}`, as TensorFlow Serving's API for JSON has it."""
    if isinstance(document, list):
        return [decoded(item) for item in document]
    if isinstance(document, dict) and set(document) == {"b64"}:
        try:
            return base64.b64decode(document["b64"], validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise BundlerError("this is no base64", found=str(document["b64"])[:_SHOWN]) from None
    return document


def _file(text: str) -> File | None:
    inside = _IN_ARCHIVE.fullmatch(text)
    if inside is not None:
        return File(Path(inside["path"]), inside["member"])
    return File(Path(text)) if text.lower().endswith(_SUFFIXES) and text[0] not in '["{' else None


def _strings(text: str) -> object:
    """The text itself, unless it is JSON for strings."""
    try:
        found = decoded(json.loads(text)) if text[:1] in ('"', "[", "{") else text
    except (ValueError, RecursionError, BundlerError):
        return text
    return found if isinstance(found, (str, bytes, list)) else text


def _number(text: str, is_complex: bool) -> object:
    try:
        return json.loads(text, parse_float=_float)
    except (ValueError, RecursionError):
        pass
    try:
        return complex(text) if is_complex else _float(text)
    except ValueError:
        raise BundlerError("this is no value", found=_shown(text), expected=FORMS) from None


def _float(text: str) -> float:
    """A finite float, also one that JSON does not take: `.5`, `+1`, `1.`."""
    number = float(text)
    if "_" in text or math.isinf(number):
        raise ValueError(text)
    return number


def _shown(text: str) -> str:
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…"
