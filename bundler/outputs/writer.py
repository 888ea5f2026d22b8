"""How a message gets into a file: its layout is known, so several threads fill disjoint ranges of it.

Each weight goes from its shard to its place in the file, without the whole of it in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from bundler.disk.shards import keeping_open
from bundler.disk.sync import reserve, sync_content
from bundler.encoding.message import Message, Piece
from bundler.ir.weight import Part, Weight
from bundler.progress import SILENT, Progress, step
from bundler.threads import Crew

__all__ = ["write"]

_SEGMENT = 1 << 22
"""Bytes that a thread fills at a time."""
_WRITE = 1 << 19
"""Bytes of one call to the system. From 2 MB on, Linux looks for a huge page to put them in. A virtual machine has to
wait for that memory: writing took up to ten times as long."""
_PENDING = 1 << 26
"""Bytes that are written before the disk has to store them. To publish a bundle waits for the last of them only."""


def write(message: Message, path: Path, *, jobs: int = 1, progress: Progress = SILENT) -> None:
    """Write the message into a new file with `jobs` threads.

    Raises OSError if the system refuses, SourceError for a shard that became shorter.
    """
    reserve(path, message.size)
    # Buffers are used again: with several threads, to get a new one from the system takes longer than to fill it.
    rooms = SimpleQueue[bytearray]()
    for _ in range(jobs):
        rooms.put(bytearray(min(message.size, 2 * _SEGMENT)))
    with step(progress, "write", message.size), Crew(jobs) as crew:
        pending = 0
        for written in crew.map(lambda segment: segment.write(path, rooms), _segments(message)):
            progress.advance(written)
            pending += written
            if pending >= _PENDING:  # this thread only waits for the others
                sync_content(path)
                pending = 0


class _Segment(NamedTuple):
    """The `size` bytes of the file from `offset` on."""

    offset: int
    size: int
    parts: list[memoryview | Part]

    def fill(self, room: memoryview) -> None:
        """Copy and decode the parts into the beginning of `room`."""
        for part in self.parts:
            if isinstance(part, Part):
                part.fill(room[: part.nbytes])
            else:
                room[: part.nbytes] = part
            room = room[part.nbytes :]

    @keeping_open()
    def write(self, path: Path, rooms: SimpleQueue[bytearray]) -> int:
        """Write the range. Returns its size."""
        with _taken(rooms) as room, path.open("r+b", buffering=0) as file:
            left = memoryview(room)[: self.size]
            self.fill(left)
            file.seek(self.offset)
            while left:
                left = left[file.write(left[:_WRITE]) :]
        return self.size


@contextmanager
def _taken(rooms: SimpleQueue[bytearray]) -> Iterator[bytearray]:
    room = rooms.get()
    try:
        yield room
    finally:
        rooms.put(room)


def _segments(message: Message) -> Iterator[_Segment]:
    """The message in segments of less than twice `_SEGMENT` bytes: its last part may exceed that size."""
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


def _parts(piece: Piece) -> Iterable[memoryview | Part]:
    """A piece in parts of at most `_SEGMENT` bytes."""
    if isinstance(piece, Weight):
        return piece.parts()
    content = memoryview(piece)
    return [content[start : start + _SEGMENT] for start in range(0, len(piece), _SEGMENT)]
