"""A file of protobuf messages by any writer, read in place: what is large stays there, and what is read has limits.

Two bytes of a file may be a message that takes hundreds in memory, and milliseconds of whatever looks at it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from bundler.disk import files
from bundler.disk.shards import File, Group
from bundler.encoding.wire import Bytes, Field, fields
from bundler.stored.reading import explained

__all__ = ["Skimmed", "skimmed"]

_MOST: Mapping[str, int] = MappingProxyType(
    {
        "MetaGraphs": 100,
        "signatures": 1 << 16,
        "functions": 1 << 18,
        "nodes": 1 << 20,
        "bytes without weights": 1 << 29,
    }
)
"""How much of each a file may have. A million nodes of real models have 400 MB."""
_MOST_BYTES = (1 << 31) - 1
"""The most bytes of a message that protobuf reads."""


class Skimmed:
    """An open file whose whole content is a message; `group` is the file as a place of weights."""

    def __init__(self, path: Path, source: Bytes) -> None:
        self._source = source
        self._found = Counter[str]()
        self.group = Group((File(path, source.size),))

    @property
    def whole(self) -> Field:
        """The message of the file."""
        return Field(0, 0, 0, self._source.size)

    def fields(self, message: Field) -> Iterator[Field]:
        """The fields of a message. ValueError if it is none."""
        return fields(self._source, message.start, message.end)

    def value(self, field: Field) -> bytes:
        """The bytes of a field's value."""
        return self._read(field.start, field.end)

    def spelled(self, field: Field) -> bytes:
        """The bytes of a field with its tag and its length: a message is those of its fields, one after the other."""
        return self._read(field.tag, field.end)

    def part(self, message: Field, wanted: Collection[int]) -> bytes:
        """A message's fields of these numbers, as a message."""
        return b"".join(self.spelled(each) for each in self.fields(message) if each.number in wanted)

    def count(self, what: str, number: int = 1) -> None:
        """Count what was found. ValueError if it is more than a file may have."""
        self._found[what] += number
        if self._found[what] > _MOST[what]:
            raise ValueError(f"more than {_MOST[what]:,} {what}")

    def _read(self, start: int, end: int) -> bytes:
        self.count("bytes without weights", end - start)
        return self._source.read(start, end)


@contextmanager
def skimmed(path: Path, what: str) -> Iterator[Skimmed]:
    """Open a file. SourceError says that it is not `what` for any exception of the block."""
    with explained(path, what), files.opened(path) as opened:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ValueError(f"{size:,} bytes, of which protobuf reads at most {_MOST_BYTES:,}")
        yield Skimmed(path, Bytes(opened, size))
