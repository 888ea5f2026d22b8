"""The members of an archive, of either format: files, folders and links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from bundler.errors import SourceError

__all__ = ["BOMB", "CHUNK", "Headers", "Member"]

CHUNK = 1 << 20
BOMB = "the archive unpacks to far more than its size: it may be a bomb"


class Member(NamedTuple):
    """One entry. `content` is None for a folder, and for a link, whose `target` is a path in the archive."""

    name: str
    content: Iterator[bytes] | None = None
    target: str | None = None


class _File(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def seek(self, position: int, whence: int, /) -> int: ...
    def tell(self) -> int: ...


class Headers:
    """The file of an archive for Python's own readers, which read headers of any announced size into memory.

    They may read `left` bytes more, and seek up to the position `end`; SourceError beyond.
    """

    def __init__(self, file: _File, left: int, end: int) -> None:
        self._file = file
        self._end = end
        self.left = left

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(self.left + 1 if size < 0 else min(size, self.left + 1))
        self.left -= len(content)
        if self.left < 0:
            raise SourceError("the archive has headers that are too large")
        return content

    def seek(self, position: int, whence: int = 0) -> int:
        if position > self._end:
            raise SourceError(BOMB)
        return self._file.seek(position, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True
