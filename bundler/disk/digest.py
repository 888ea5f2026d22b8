"""A digest of a large file that several threads compute together."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from bundler.threads import Crew

__all__ = ["tree_digests"]

_BLOCK = 1 << 22


def tree_digests(paths: Iterable[Path], jobs: int) -> list[str]:
    """For each file, in hex, the sha256 over the sha256 of each block of 4 MiB. OSError if one cannot be read."""
    paths = list(paths)
    with Crew(jobs) as crew:
        blocks = [crew.map(lambda start, path=path: _block(path, start), _starts(path)) for path in paths]
        return [hashlib.sha256(b"".join(hashed)).hexdigest() for hashed in blocks]


def _starts(path: Path) -> range:
    return range(0, path.stat().st_size, _BLOCK)


def _block(path: Path, start: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        return hashlib.sha256(os.pread(file.fileno(), _BLOCK, start)).digest()
