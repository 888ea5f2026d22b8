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
        self._start = self._end = 0
        self.size = size

    def read(self, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`; fewer if the file ends before. OSError if they cannot be read."""
        if start < self._start or end > self._end:
            self._file.seek(start)
            self._window = self._file.read(max(end - start, _WINDOW)) or b""
            self._start, self._end = start, start + len(self._window)
        return self._window[start - self._start : end - self._start]


class Field(NamedTuple):
    """A field of a message: its number, and the places of its tag and of its value.

    The value of a string or message begins after its length.
    """

    number: int
    tag: int
    start: int
    end: int


def fields(source: Bytes, start: int, end: int) -> Iterator[Field]:
    """The fields of the message between two places. ValueError if there is none."""
    while start < end:
        head = source.read(start, min(start + 2 * _LONGEST, end))
        key, size = varint(head, 0)
        kind = key & 7
        if kind == _LENGTH_DELIMITED:
            length, size = varint(head, size)
            after = start + size + length
        elif kind == _VARINT:
            after = start + varint(head, size)[1]
        elif kind in _FIXED:
            after = start + size + _FIXED[kind]
        else:
            raise ValueError(f"a field of the unknown wire type {kind}")
        if after > end:
            raise ValueError("a field that is longer than its message")
        yield Field(key >> 3, start, start + size, after)
        start = after


def varint(content: bytes, start: int) -> tuple[int, int]:
    """The integer at a place, and the place after it. ValueError if it does not end."""
    if start < len(content) and content[start] < 0x80:  # as nearly all are
        return content[start], start + 1
    value = 0
    for index, byte in enumerate(content[start : start + _LONGEST]):
        if byte < 0x80:
            return value | byte << 7 * index, start + index + 1
        value |= (byte & 0x7F) << 7 * index
    raise ValueError("an integer that does not end")
