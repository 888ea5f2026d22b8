"""The members of a zip archive."""

from __future__ import annotations

import io
import stat
import sys
import zipfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import IO, cast

from bundler.disk import files
from bundler.errors import SourceError
from bundler.sources.member import BOMB, CHUNK, Headers, Member

__all__ = ["members"]

_DIRECTORY = 8 << 20
"""Bytes of the central directory, which zipfile reads whole; a member takes about 100."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Methods of all common zip tools. A bzip2 or LZMA member of 2 kB can take gigabytes of memory while it is read."""
_ENCRYPTED = 0x2041
"""Flags of encryption (APPNOTE.TXT, 4.4.4): of a member, strong, of the directory."""
_LOCAL_HEADER = 30
"""Bytes before a member's content, without its name."""


def members(archive: Path, end: int) -> Iterator[Member]:
    """Each member, whose content must be read before the next one; the archive may unpack to `end` bytes.

    Raises SourceError for a member that is neither a file nor a folder, or stored in a way that honest archives do not
    need; OSError, zipfile.BadZipFile and others if the archive is damaged.
    """
    with io.BufferedReader(files.opened(archive)) as file:
        headers = Headers(file, _DIRECTORY, sys.maxsize)
        with zipfile.ZipFile(cast(IO[bytes], headers)) as opened:
            headers.left = sys.maxsize  # the directory has been read; contents are read piece by piece
            _check(opened.infolist(), opened.start_dir, end)
            for info in opened.infolist():
                yield Member(info.filename, None if info.is_dir() else _content(opened, info))


def _content(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with opened.open(info) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _check(infos: Sequence[zipfile.ZipInfo], directory: int, end: int) -> None:
    """Raise SourceError for members that the central directory, at that position, shows to be hostile."""
    for info in infos:
        fault = _fault(info)
        if fault:
            raise SourceError(f"the archive has {fault}", found=files.spelled(info.filename))
    if sum(info.file_size for info in infos) > end:
        raise SourceError(BOMB)
    ordered = sorted(infos, key=lambda info: info.header_offset)
    starts = [*(info.header_offset for info in ordered), directory]
    for info, (start, following) in zip(ordered, pairwise(starts)):
        if start + _LOCAL_HEADER + info.compress_size > following:
            raise SourceError("the archive has members that overlap", found=files.spelled(info.filename))


def _fault(info: zipfile.ZipInfo) -> str:
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link or a special file"
    if info.flag_bits & _ENCRYPTED:
        return "an encrypted file"
    if info.compress_type not in _METHODS:
        return "a file that is not compressed by deflate"
    return "a folder with content" if info.is_dir() and info.file_size else ""
