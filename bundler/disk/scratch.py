"""Temporary folders, in which files are written before a rename puts them in their place, whole.

`cache` and `publish` write to such a folder on the filesystem of the place. The process holds a lock on the folder,
which the system releases when the process ends, however it ends: an unlocked folder is a left-over, and the next run
removes it.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bundler.disk.locks import Lock
from bundler.threads import undone_by

__all__ = ["discard", "scratch", "sweep"]

_LEFT_OVER_AFTER = 24 * 60 * 60
"""Seconds after which a scratch folder is a left-over on a filesystem without locks."""
_LONGEST_NAME = 255
"""Bytes of a file's name on nearly every filesystem."""


@contextmanager
def scratch(parent: Path, name: str) -> Iterator[Path]:
    """An empty folder `.<name>.<random>.part` in `parent`, removed at the end unless it was renamed.

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
    """Remove a folder or a file, if it exists and can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _locked_folder(parent: Path, name: str) -> tuple[Path, Lock]:
    """A new scratch folder and its lock."""
    while True:
        fresh = parent / f".{_stem(name)}.{secrets.token_hex(4)}.part"
        fresh.mkdir()
        # Until the folder is locked, another process may remove it as a left-over.
        with suppress(FileNotFoundError):
            lock = Lock(fresh)
            lock.acquire()
            if lock.is_at(fresh):
                return fresh, lock
            lock.close()


def _stem(name: str) -> str:
    """The name, cut so that the name of a scratch folder is not too long."""
    room = _LONGEST_NAME - len("..01234567.part")
    return os.fsdecode(os.fsencode(name)[:room])


def _sweep_one(path: Path) -> None:
    with suppress(OSError), closing(Lock(path)) as lock:
        if lock.acquire(wait=False) or (not lock.works and _age(path) > _LEFT_OVER_AFTER):
            discard(path)


def _age(path: Path) -> float:
    """Seconds since the last change."""
    return time.time() - path.lstat().st_mtime
