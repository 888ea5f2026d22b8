"""A lock that the system releases when its process ends, however it ends.

Source: flock(2). The lock belongs to the open file, so two threads of one process exclude each other, too.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

__all__ = ["Lock", "in_use"]


class Lock:
    """An advisory lock on a file or folder that exists. `works` is False on a filesystem without locks."""

    def __init__(self, path: Path) -> None:
        # O_NONBLOCK: do not wait at a FIFO of that name. O_NOFOLLOW: lock this path, not the target of a link.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        self.works = True

    def acquire(self, *, wait: bool = True, shared: bool = False) -> bool:
        """Take the lock; False if another process or thread holds it, or the filesystem has no locks.

        Several may hold it `shared`; then no other can take it for itself.
        """
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        except OSError:
            self.works = False
        return self.works

    def is_at(self, path: Path) -> bool:
        """Whether the path still names the locked file or folder."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), path.lstat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """While the block lasts, no other process can lock a folder for itself. Does nothing if there is no such folder."""
    try:
        lock = Lock(folder)
    except OSError:
        yield
        return
    with closing(lock):
        lock.acquire(shared=True)
        yield
