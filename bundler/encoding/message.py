"""Protobuf's wire format in pieces: a message whose weights are still on disk, and how it gets into a file.

A message is a list of pieces, bytes or weights, whose sizes are known before any weight is read. So the
lengths of nested messages are known too, the whole file is laid out first, and several threads fill it, each
weight going straight from its shard into its place.

Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple, TypeAlias

from bundler.disk.shards import keeping_open
from bundler.disk.sync import reserve
from bundler.ir.weight import Part, Weight
from bundler.progress import SILENT, Progress
from bundler.threads import Crew

__all__ = ["Message", "field", "head", "write"]

Piece: TypeAlias = "bytearray | Weight"

_SEGMENT = 1 << 22
"""Bytes that one thread fills in a go."""
_PIECE = 1 << 19
"""Bytes that the system is given at a time. From 2 MB on Linux looks for a huge page to put them in; on a virtual
machine that is memory which it does not have yet, and waits for: writing took up to ten times as long."""


class Message:
    """A message in pieces, and how many bytes it takes."""

    __slots__ = ("pieces", "size")

    def __init__(self, content: bytes = b"") -> None:
        self.pieces: list[Piece] = [bytearray(content)]
        self.size = len(content)

    def add(self, content: bytes | bytearray, weight: Weight | None = None) -> None:
        """Fields that are encoded already, the last of which may be `head` and a weight."""
        last = self.pieces[-1]
        if isinstance(last, bytearray):
            last += content
        else:
            self.pieces.append(bytearray(content))
        self.size += len(content)
        if weight is not None:
            self.pieces.append(weight)
            self.size += weight.nbytes

    def field(self, number: int, message: Message) -> None:
        """A message in this one, which has it from now on: nothing is to be added to it any more."""
        first, *others = message.pieces
        assert isinstance(first, bytearray), "messages begin with bytes"
        self.add(head(number, message.size) + first)
        self.pieces += others
        self.size += message.size - len(first)

    @property
    @keeping_open()
    def content(self) -> bytes:
        """The message itself, with all its weights: for small ones."""
        content = bytearray(self.size)
        for segment in _segments(self):
            segment.fill(memoryview(content)[segment.offset :])
        return bytes(content)


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field: a string, or a message without weights."""
    return head(number, len(content)) + content


@lru_cache(1 << 12)  # nearly all are those of short fields with small numbers
def head(number: int, size: int) -> bytes:
    """What stands before a length-delimited field of that size."""
    return _varint(number << 3 | 2) + _varint(size)


def write(message: Message, path: Path, *, jobs: int = 1, progress: Progress = SILENT) -> None:
    """Write the message into a new file, by `jobs` threads that fill disjoint ranges of it."""
    progress.start("writing", message.size)
    reserve(path, message.size)
    # To ask the system for a new buffer each time takes longer than to fill it, with several threads.
    rooms = SimpleQueue[bytearray]()
    for _ in range(jobs):
        rooms.put(bytearray(min(message.size, 2 * _SEGMENT)))
    with Crew(jobs) as crew:
        for written in crew.map(lambda segment: segment.write(path, rooms), _segments(message)):
            progress.advance(written)
    progress.finish()


class _Segment(NamedTuple):
    """What stands in the file from `offset` on, `size` bytes."""

    offset: int
    size: int
    parts: list[memoryview | Part]

    def fill(self, room: memoryview) -> None:
        """Put it at the beginning of `room`."""
        for part in self.parts:
            if isinstance(part, Part):
                part.fill(room[: part.nbytes])
            else:
                room[: part.nbytes] = part
            room = room[part.nbytes :]

    @keeping_open()
    def write(self, path: Path, rooms: SimpleQueue[bytearray]) -> int:
        """Fill the range of the file; how many bytes it is long."""
        with _taken(rooms) as room, path.open("r+b", buffering=0) as file:
            left = memoryview(room)[: self.size]
            self.fill(left)
            file.seek(self.offset)
            while left:
                left = left[file.write(left[:_PIECE]) :]
        return self.size


@contextmanager
def _taken(rooms: SimpleQueue[bytearray]) -> Iterator[bytearray]:
    room = rooms.get()
    try:
        yield room
    finally:
        rooms.put(room)


def _segments(message: Message) -> Iterator[_Segment]:
    """The message, cut where a segment is full: with its last part it is less than twice as long."""
    start, size = 0, 0
    parts: list[memoryview | Part] = []
    for part in chain.from_iterable(map(_parts, message.pieces)):
        parts.append(part)
        size += part.nbytes
        if size >= _SEGMENT:
            yield _Segment(start, size, parts)
            start, size, parts = start + size, 0, []
    if parts:
        yield _Segment(start, size, parts)


def _parts(piece: Piece) -> Iterator[memoryview | Part]:
    """A piece, cut into parts of a bounded size."""
    if isinstance(piece, Weight):
        return piece.parts()
    return (memoryview(piece)[start : start + _SEGMENT] for start in range(0, len(piece), _SEGMENT))


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
