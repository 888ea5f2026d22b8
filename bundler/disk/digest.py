"""Digests of files: one sha256 for a file, and for several files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from bundler.disk import files
from bundler.errors import SourceError

__all__ = ["combined_digest", "file_digests", "integrity", "sha256"]

_CHUNK = 1 << 20


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
    return _hashed(path, "sha256").hex()


def integrity(path: Path) -> str:
    """The sha512 of a file's bytes as npm writes it: `sha512-` and base64. SourceError if it cannot be read."""
    return f"sha512-{base64.b64encode(_hashed(path, 'sha512')).decode()}"


def _hashed(path: Path, kind: str) -> bytes:
    hashed = hashlib.new(kind)
    try:
        with files.opened(path) as file:
            while chunk := file.read(_CHUNK):
                hashed.update(chunk)
    except OSError as error:
        raise SourceError("cannot be read", where=str(path), found=files.reason(error)) from error
    return hashed.digest()
