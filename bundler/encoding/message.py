"""Protobuf messages that hold weights without reading them.

A message is a list of pieces: encoded bytes, and weights on disk, whose sizes are known. So the lengths of the messages
around a weight are known too.

Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Any, TypeAlias

from bundler.disk.shards import keeping_open
from bundler.ir.weight import Weight

__all__ = ["Message", "field", "head", "numbers"]

Piece: TypeAlias = "bytearray | Weight"

_LENGTH_DELIMITED = 2
"""The wire type of strings, bytes and messages."""


class Message:
    """A message in pieces, the first of which are bytes; `size` is its length in bytes."""

    __slots__ = ("pieces", "size")

    def __init__(self, content: bytes = b"") -> None:
        self.pieces: list[Piece] = [bytearray(content)]
        self.size = len(content)

    def add(self, content: bytes | bytearray, weight: Weight | None = None) -> None:
        """Append encoded fields. With a `weight` they end in the head of the field whose content it is."""
        last = self.pieces[-1]
        if isinstance(last, bytearray):
            last += content
        else:
            self.pieces.append(bytearray(content))
        self.size += len(content)
        if weight is not None:
            self.pieces.append(weight)
            self.size += weight.nbytes

    def nest(self, number: int, message: Message) -> None:
        """Append a message as the field `number`; takes its pieces, so that nothing may be added to it afterwards."""
        first, *others = message.pieces
        assert isinstance(first, bytearray), "messages begin with bytes"
        self.add(head(number, message.size) + first)
        self.pieces += others
        self.size += message.size - len(first)

    @property
    @keeping_open()
    def content(self) -> bytes:
        """The encoded message with the bytes of its weights, in memory."""
        return b"".join(chain.from_iterable(map(_chunks, self.pieces)))


def _chunks(piece: Piece) -> Iterable[bytes | bytearray]:
    return piece.chunks() if isinstance(piece, Weight) else (piece,)


def numbers(message: Any, *fields: str) -> tuple[int, ...]:
    """The numbers of a message class' fields, by their names. KeyError for a field that it lacks."""
    return tuple(message.DESCRIPTOR.fields_by_name[name].number for name in fields)


def field(number: int, content: bytes) -> bytes:
    """An encoded field: a string, or a message without weights."""
    return head(number, len(content)) + content


@lru_cache(1 << 12)  # nearly all are those of short fields with small numbers
def head(number: int, size: int) -> bytes:
    """The tag and the length before a string or message of `size` bytes."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(size)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
