"""Files and paths from untrusted models: which are safe to open, and how much they may unpack to."""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
from pathlib import Path

__all__ = [
    "MAX_RATIO",
    "MODEST_BYTES",
    "allowance",
    "is_gzipped",
    "is_safe",
    "kind",
    "mode",
    "opened",
    "reason",
    "spelled",
    "unpacked",
]

MODEST_BYTES = 128 << 20
"""Bytes that any compressed file may unpack to, however small it is."""
MAX_RATIO = 100
"""How many times its own size a larger file may unpack to. Weights reach 2, JSON about 30, deflate itself 1,030."""

_GZIP = b"\x1f\x8b"
_NEVER_IN_NAMES = "[\\\\\0\ud800-\udc7f\udd00-\udfff]"
"""Backslashes, and characters that no filesystem takes: NUL, and surrogates except those for undecodable bytes."""
_NAME_BYTES = 255
_PATH_LENGTH = 4000
"""Characters of a path in a folder. Linux takes 4,096 bytes, the folder's own path included."""
_DEEPEST = 64
"""Folders in one another."""
_SPELLED = 120
"""Characters of an untrusted name that an error shows."""

_OPENING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def is_safe(name: str) -> bool:
    """Whether a path, as an untrusted file spells it, stays in its folder and fits into it, on every system."""
    if not name or name[0] == "/" or (name[1:2] == ":" and name[0].isalpha()) or re.search(_NEVER_IN_NAMES, name):
        return False
    parts = os.fsencode(name).split(b"/")
    fits = len(name) <= _PATH_LENGTH and len(parts) <= _DEEPEST and max(map(len, parts)) <= _NAME_BYTES
    return fits and b".." not in parts


def spelled(name: str) -> str:
    """An untrusted name as an error shows it: quoted, and cut if it is long."""
    return repr(name) if len(name) <= _SPELLED else f"{name[:_SPELLED]!r}… ({len(name):,} characters)"


def kind(mode: int) -> str:
    """What a mode of `os.stat` stands for, in words."""
    return _KINDS.get(stat.S_IFMT(mode), "something else")


def mode(path: Path | str) -> int:
    """`st_mode` of a path, links followed; 0 if the path does not exist. OSError if that cannot be known."""
    try:
        return os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except ValueError as error:  # a NUL, or half a character
        raise OSError(str(error)) from error


def opened(path: Path) -> io.FileIO:
    """A regular file, open for reading without a buffer. OSError if it is another kind, or cannot be opened.

    A pipe would block, a device has no end. The kind is checked before, as opening a device can have effects, and again
    when the file is open, as it may have been replaced.
    """
    _refuse_irregular(os.stat(path))
    file = io.FileIO(path, opener=lambda name, _: os.open(name, _OPENING))
    try:
        _refuse_irregular(os.fstat(file.fileno()))
    except OSError:
        file.close()
        raise
    return file


def reason(error: Exception) -> str:
    """The message of an error without the path, which may be in a folder with a random name."""
    said = error.strerror if isinstance(error, OSError) else None
    return said or str(error) or type(error).__name__


def allowance(packed: int) -> int:
    """The bytes to which `packed` bytes may unpack: a file with more is taken for a bomb."""
    return max(MODEST_BYTES, MAX_RATIO * packed)


def is_gzipped(path: Path) -> bool:
    """Whether a file begins with gzip's magic. OSError as `opened`."""
    with opened(path) as file:
        return file.read(len(_GZIP)) == _GZIP


def unpacked(path: Path) -> gzip.GzipFile:
    """The content of a gzip'ed file, open for reading. OSError as `opened`.

    Reading raises EOFError, OSError or zlib.error if the file is damaged.
    """
    return _Unpacked(io.BufferedReader(opened(path)))


class _Unpacked(gzip.GzipFile):
    """Closes the file that it was given, unlike its base."""

    def __init__(self, packed: io.BufferedReader) -> None:
        self._packed = packed
        super().__init__(fileobj=packed, mode="rb")

    def close(self) -> None:
        super().close()
        self._packed.close()


def _refuse_irregular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{kind(found.st_mode)}, no regular file")
