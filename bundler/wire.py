"""Protobuf's wire format in pieces: a message whose weights are still on disk, and how it gets into a file.

A message is a list of pieces, bytes or weights, whose sizes are known before any weight is read. So the
lengths of nested messages are computed, the whole file is laid out first, and several threads fill it, each
weight going straight from its shard into its place.

Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeAlias

from bundler.progress import SILENT, Progress
from bundler.weight import Part, Weight

__all__ = ["Piece", "Pieces", "content", "field", "size", "write"]

Piece: TypeAlias = "bytes | Weight"
Pieces: TypeAlias = list[Piece]

_SEGMENT = 1 << 23
"""Bytes that one thread writes in a go."""


def field(number: int, pieces: Iterable[Piece]) -> Pieces:
    """Pieces as a length-delimited field of an outer message."""
    pieces = list(pieces)
    return [_varint(number << 3 | 2) + _varint(size(pieces)), *pieces]


def size(pieces: Iterable[Piece]) -> int:
    """The bytes that the message takes."""
    return sum(piece.nbytes if isinstance(piece, Weight) else len(piece) for piece in pieces)


def content(pieces: Iterable[Piece]) -> bytes:
    """The message itself, with all its weights: for small ones."""
    return b"".join(chunk for piece in pieces for chunk in (piece.chunks() if isinstance(piece, Weight) else (piece,)))


def write(pieces: Sequence[Piece], path: Path, *, jobs: int = 1, progress: Progress = SILENT) -> None:
    """Write the message into a new file, by `jobs` threads that fill disjoint ranges of it."""
    progress.start("writing", size(pieces))
    path.touch()
    with ThreadPoolExecutor(jobs) as pool:
        for written in pool.map(lambda segment: segment.write(path), _segments(pieces)):
            progress.advance(written)
    progress.finish()


class _Segment(NamedTuple):
    """What stands in the file from `offset` on."""

    offset: int
    parts: list[bytes | Part]

    def write(self, path: Path) -> int:
        """Fill the range; how many bytes it is long."""
        with path.open("r+b") as file:
            file.seek(self.offset)
            for part in self.parts:
                file.write(part.content() if isinstance(part, Part) else part)
            return file.tell() - self.offset


def _segments(pieces: Iterable[Piece]) -> Iterator[_Segment]:
    """The message, cut where a segment is full; a large weight is cut too."""
    start = at = 0
    parts: list[bytes | Part] = []
    for piece in pieces:
        for part in piece.parts() if isinstance(piece, Weight) else (piece,):
            parts.append(part)
            at += part.nbytes if isinstance(part, Part) else len(part)
            if at - start >= _SEGMENT:
                yield _Segment(start, parts)
                start, parts = at, []
    if parts:
        yield _Segment(start, parts)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
