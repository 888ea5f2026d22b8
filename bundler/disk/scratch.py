"""Folders that count for nothing until they are renamed to where they belong.

What is fetched (`sources.cache`) and what is built (`publish`) is first written to such a folder, on the filesystem of
its place, so that a rename puts it there whole. Its process holds a lock on the folder. The system releases the lock
when the process ends, however it ends: an unlocked folder is a left-over, and the next run removes it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path

from bundler.disk.locks import Lock
from bundler.threads import undone_by

__all__ = ["discard", "reserve", "scratch", "start_sync", "sweep", "sync", "sync_entries"]

_LEFT_OVER_AFTER = 24 * 60 * 60
"""Seconds after which a scratch folder is a left-over on a filesystem without locks."""
_LONGEST_NAME = 255
"""Bytes of a file's name on nearly every filesystem."""


@contextmanager
def scratch(parent: Path, name: str) -> Iterator[Path]:
    """An empty folder `.<name>.<random>.part` in `parent`, gone at the end unless it was renamed.

    It has the permissions of any new folder (unlike those of `tempfile`). Left-overs of that name are removed first.
    """
    sweep(parent, name)
    fresh, lock = _locked_folder(parent, name)
    try:
        with undone_by(lambda: discard(fresh)):
            yield fresh
    finally:
        discard(fresh)
        lock.close()


def sweep(parent: Path, name: str) -> None:
    """Remove the scratch folders of that name whose process has ended."""
    with suppress(OSError):
        ours = re.compile(rf"\.{re.escape(_stem(name))}\.[0-9a-f]{{8}}\.part")
        for path in [path for path in parent.iterdir() if ours.fullmatch(path.name)]:
            _sweep_one(path)


def discard(path: Path) -> None:
    """Remove a folder or a file, if it is there and can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def sync(folder: Path) -> None:
    """Have the disk hold every file and folder below `folder`, itself included.

    After that, a rename can not survive a power cut that the content does not.
    """
    for root, _, names in os.walk(folder):
        for name in names:
            _sync_file(Path(root, name))
        sync_entries(Path(root))


def sync_entries(folder: Path) -> None:
    """Have the disk hold which names a folder has. Windows has no such call, and no need of it."""
    if os.name != "nt":
        _fsync(folder, os.O_RDONLY)


def reserve(path: Path, size: int) -> None:
    """Make a file of `size` bytes, to be written. Where the system reserves them, a full disk shows at once."""
    with path.open("wb") as file:
        file.truncate(size)
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except AttributeError:  # macOS and Windows have no such call
            return
        except OSError as error:
            if error.errno not in _NOT_RESERVED:
                raise


_NOT_RESERVED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
"""A file of no bytes, or a filesystem that reserves none."""


def start_sync(descriptor: int, offset: int, size: int) -> None:
    """Have the disk begin with a range of a file: `sync` has less to wait for.

    sync_file_range(2), Linux 2.6.17; nothing is lost where there is no such call, or it fails.
    """
    sync_file_range = _sync_file_range()
    if sync_file_range is not None:
        sync_file_range(descriptor, ctypes.c_int64(offset), ctypes.c_int64(size), _WRITE)


_WRITE = 2
"""SYNC_FILE_RANGE_WRITE: begin, and do not wait."""


@cache
def _sync_file_range() -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None), "sync_file_range", None) if sys.platform == "linux" else None


def _sync_file(path: Path) -> None:
    _fsync(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)


def _fsync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked_folder(parent: Path, name: str) -> tuple[Path, Lock]:
    """A new scratch folder and its lock."""
    while True:
        fresh = parent / f".{_stem(name)}.{secrets.token_hex(4)}.part"
        fresh.mkdir()
        # Until it is locked, another process may take the folder for a left-over.
        with suppress(FileNotFoundError):
            lock = Lock(fresh)
            lock.acquire()
            if lock.is_at(fresh):
                return fresh, lock
            lock.close()


def _stem(name: str) -> str:
    """The name, cut so that what scratch folders add to it still fits."""
    room = _LONGEST_NAME - len("..01234567.part")
    return os.fsdecode(os.fsencode(name)[:room])


def _sweep_one(path: Path) -> None:
    with suppress(OSError), closing(Lock(path)) as lock:
        if lock.acquire(wait=False) or (not lock.works and _age(path) > _LEFT_OVER_AFTER):
            discard(path)


def _age(path: Path) -> float:
    """Seconds since the last change."""
    return time.time() - path.lstat().st_mtime
