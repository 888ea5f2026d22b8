"""Digests of files: one sha256 for a file, for several files, and for a large file that several threads read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from bundler.disk import files
from bundler.errors import SourceError
from bundler.threads import Crew

__all__ = ["combined_digest", "file_digests", "sha256", "tree_digests"]

_CHUNK = 1 << 20
_BLOCK = 1 << 22


def file_digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The sha256, in hex, of each file's bytes, by its name."""
    return {name: sha256(folder / name) for name in names}


def combined_digest(digests: Mapping[str, str]) -> str:
    """One sha256, in hex, for files by name and sha256, in the order given.

    Each name follows its length, so that two different sets of files have different digests.
    """
    hashed = hashlib.sha256()
    for name, file_digest in digests.items():
        spelled = name.encode(errors="surrogateescape")
        hashed.update(b"%d " % len(spelled) + spelled + file_digest.encode())
    return hashed.hexdigest()


def sha256(path: Path) -> str:
    """The sha256, in hex, of a file's bytes. SourceError if it cannot be read."""
    hashed = hashlib.sha256()
    try:
        with files.opened(path) as file:
            while chunk := file.read(_CHUNK):
                hashed.update(chunk)
    except OSError as error:
        raise SourceError("cannot be read", where=str(path), found=files.reason(error)) from error
    return hashed.hexdigest()


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
