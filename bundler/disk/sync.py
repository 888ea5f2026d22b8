"""What the disk holds for certain, and what it has room for."""

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["reserve", "sync", "sync_content", "sync_entries"]

_NOT_RESERVED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
"""A file of no bytes, or a filesystem that reserves none."""


def sync(folder: Path) -> None:
    """Wait until the disk holds every file and folder below `folder`, itself included.

    Otherwise a power cut could leave the new name of a folder that is renamed next, but not its content.
    """
    for root, _, names in os.walk(folder):
        for name in names:
            _fsync(Path(root, name))
        sync_entries(Path(root))


def sync_entries(folder: Path) -> None:
    """Wait until the disk holds the names in a folder."""
    _fsync(folder)


def sync_content(path: Path) -> None:
    """Wait until the disk holds what has been written into a file so far."""
    _fsync(path)


def reserve(path: Path, size: int) -> None:
    """Make a file of `size` bytes, to be written. OSError if the disk is full, as far as the system can reserve."""
    with path.open("wb") as file:
        file.truncate(size)
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except AttributeError:  # macOS has no such call
            return
        except OSError as error:
            if error.errno not in _NOT_RESERVED:
                raise


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
