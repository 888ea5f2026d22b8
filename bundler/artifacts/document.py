"""The JSON of a model, from a file, plain or gzip'ed, that may be crafted to fill the memory.

Python takes up to 55 bytes for a byte of JSON (`[[[[…`), and up to 180 for a bracket, comma or colon (`{"a":{"b":…`).
A document within the limits takes at most 2 GB. A model with 100,000 nodes has 20 MB of JSON and a third of the values.
"""

from __future__ import annotations

import io
import json
import zlib
from pathlib import Path
from typing import Any, NoReturn

from bundler.disk import files
from bundler.errors import SourceError

__all__ = ["MAX_BYTES", "content", "parse", "read", "value"]

MAX_BYTES = 256 << 20
"""Bytes of JSON, unpacked."""
_MODEST_BYTES = 32 << 20
"""Bytes that any gzip'ed JSON may unpack to; a larger file may unpack to `files.MAX_RATIO` times its size."""
_MAX_VALUES = 8 << 20
"""Brackets, commas and colons, each of which announces a value that takes memory."""


def read(path: Path) -> dict[str, Any]:
    """The JSON object in a file. SourceError if there is none, the file cannot be read, or it exceeds a limit.

    Of two equal keys the last one counts, as in JavaScript.
    """
    document = value(path)
    if not isinstance(document, dict):
        found = f"a JSON {_kind(document)}"
        raise SourceError("is no TensorFlow.js model", where=str(path), found=found, expected="a JSON object")
    return document


def value(path: Path) -> object:
    """The JSON of any kind in a file. SourceError as `read`."""
    try:
        text = content(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError("is not JSON", where=str(path), found=f"no UTF-8 at byte {error.start}") from None
    return parse(text, path)


def content(path: Path, what: str = "a model's JSON", most: int | None = None) -> bytes:
    """The bytes of a file, unpacked if it is gzip'ed: at most `most`, by default `MAX_BYTES`.

    SourceError if it cannot be read, or has more.
    """
    try:
        return _limited(path, what, MAX_BYTES if most is None else most)
    except (EOFError, OSError, zlib.error) as error:
        raise SourceError("cannot be read", where=str(path), found=files.reason(error)) from error


def _limited(path: Path, what: str, limit: int) -> bytes:
    gzipped = files.is_gzipped(path)
    most = min(limit, max(_MODEST_BYTES, files.MAX_RATIO * path.stat().st_size)) if gzipped else limit
    with files.unpacked(path) if gzipped else io.BufferedReader(files.opened(path)) as file:
        read = file.read(most + 1)
    if len(read) > limit:
        raise SourceError(f"is too large for {what}", where=str(path), expected=f"at most {limit:,} bytes")
    if len(read) > most:
        raise SourceError("unpacks to far more than its size: it may be a bomb", where=str(path))
    return read


def parse(text: str, path: Path) -> object:
    """The JSON in a text. SourceError, with `path` as its place, if it is none or exceeds a limit."""
    if len(text) > _MAX_VALUES and sum(map(text.count, "[{,:")) > _MAX_VALUES:
        raise SourceError("has too many values for a model", where=str(path), expected=f"at most {_MAX_VALUES:,}")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise SourceError("is not JSON", where=str(path), found=f"{error.msg} at {place}") from None
    except ValueError as error:
        found = str(error) if isinstance(error, _NoNumber) else "an integer of thousands of digits"
        raise SourceError("is not JSON", where=str(path), found=found) from None
    except RecursionError:
        raise SourceError("is nested too deeply for a model", where=str(path)) from None


class _NoNumber(ValueError):
    """NaN or an infinity, which Python's JSON has and JavaScript's does not."""


def _refuse_constant(name: str) -> NoReturn:
    raise _NoNumber(name)


def _kind(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")
