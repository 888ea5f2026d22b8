"""The members of a gzip'ed tar archive, read once from the first to the last."""

from __future__ import annotations

import gzip
import posixpath
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from bundler.disk import files
from bundler.errors import SourceError
from bundler.sources.member import BOMB, CHUNK, Headers, Member

__all__ = ["members"]

_HEADERS = 1 << 20
"""Bytes of headers before one member: pax headers, long names, maps of sparse files."""


def members(archive: Path, end: int) -> Iterator[Member]:
    """Each member, whose content must be read before the next one; the archive may unpack to `end` bytes.

    Raises SourceError for a member that is no file, folder or link; OSError, tarfile.TarError and others if the archive
    is damaged.
    """
    with files.unpacked(archive) as stream:
        headers = Headers(stream, _HEADERS, end)
        with tarfile.open(fileobj=cast(IO[bytes], headers), mode="r:") as opened:
            while (info := opened.next()) is not None:
                yield _member(info, stream)
                headers.left = _HEADERS
                vars(opened)["members"].clear()  # tarfile keeps every member, in memory
        _finish(stream, end)


def _member(info: tarfile.TarInfo, stream: gzip.GzipFile) -> Member:
    name = info.name
    if info.size < 0 or (info.isdir() and info.size):
        raise SourceError("the archive has a member of an impossible size", found=files.spelled(name))
    if info.isdir():
        return Member(name)
    if info.issym():
        return Member(name, target=posixpath.normpath(posixpath.join(posixpath.dirname(name), info.linkname)))
    if info.islnk():
        return Member(name, target=posixpath.normpath(info.linkname))
    if info.issparse():
        raise SourceError("the archive has a sparse file", found=files.spelled(name))
    if not info.isfile():
        raise SourceError("the archive has a special file", found=files.spelled(name))
    return Member(name, _content(stream, info.offset_data, info.size))


def _content(stream: gzip.GzipFile, start: int, left: int) -> Iterator[bytes]:
    stream.seek(start)
    while left:
        chunk = stream.read(min(left, CHUNK))
        if not chunk:
            raise EOFError("it ends in the middle of a file")
        left -= len(chunk)
        yield chunk


def _finish(stream: gzip.GzipFile, end: int) -> None:
    """Read to gzip's checksum at the end: without it, a tarball that was cut short can look whole."""
    while stream.read(CHUNK):
        if stream.tell() > end:
            raise SourceError(BOMB)
