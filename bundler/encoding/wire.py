"""Protobuf's wire format, read in place: the fields of a message in a file, of which large ones are never read.

Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedIOBase, RawIOBase
from typing import NamedTuple

__all__ = ["Bytes", "Field", "fields", "varint"]

_WINDOW = 1 << 18
"""Bytes that are read at a time."""
_LONGEST = 10
"""Bytes of the longest varint, which has 64 bits."""
_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5
"""The wire types. The two others, of groups, are not used any more."""
_FIXED = {_FIXED64: 8, _FIXED32: 4}


class Bytes:
    """The bytes of a file, read through a window."""

    def __init__(self, file: RawIOBase | BufferedIOBase, size: int) -> None:
        self._file = file
        self._window = b""
        self._start = 0
        self.size = size

    def read(self, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`; fewer if the file ends before. OSError if they cannot be read."""
        if start < self._start or end > self._start + len(self._window):
            self._file.seek(start)
            wanted = max(end - start, _WINDOW)
            self._window, self._start = self._file.read(wanted) or b"", start
        return self._window[start - self._start : end - self._start]


class Field(NamedTuple):
    """A field of a message: its number, and the place of its value; of strings and messages without their length."""

    number: int
    start: int
    end: int


def fields(source: Bytes, start: int, end: int) -> Iterator[Field]:
    """The fields of the message between two places. ValueError if there is none."""
    while start < end:
        tag, at = varint(source, start, end)
        kind = tag & 7
        if kind == _LENGTH_DELIMITED:
            size, at = varint(source, at, end)
            start = at + size
        elif kind == _VARINT:
            _, start = varint(source, at, end)
        elif kind in _FIXED:
            start = at + _FIXED[kind]
        else:
            raise ValueError(f"a field of the unknown wire type {kind}")
        if start > end:
            raise ValueError("a field that is longer than its message")
        yield Field(tag >> 3, at, start)


def varint(source: Bytes, start: int, end: int) -> tuple[int, int]:
    """The integer at a place, and the place after it. ValueError if it does not end before `end`."""
    value = 0
    for index, byte in enumerate(source.read(start, min(start + _LONGEST, end))):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, start + index + 1
    raise ValueError("an integer that does not end")
