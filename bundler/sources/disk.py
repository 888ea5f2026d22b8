"""Models that are at hand: a folder, a JSON file, or an archive to unpack."""

from __future__ import annotations

import os
from pathlib import Path

from bundler import artifact
from bundler.errors import SourceError, within
from bundler.progress import Progress
from bundler.sources import archive
from bundler.sources.cache import Cache

__all__ = ["find"]


def find(source: str, base: Path, cache: Cache, progress: Progress) -> Path:
    """The model at a path: `folder`, `file.json`, `archive.zip#path/inside`."""
    path, inside = _split(source, base)
    if path.is_dir() or not archive.is_archive(path.name):
        return path
    with within(source):
        return archive.locate(_unpacked(path, cache), inside)


def _split(source: str, base: Path) -> tuple[Path, str]:
    """The path, and what follows `#` where that does not belong to a file's own name."""
    whole = base / os.path.expanduser(source)
    before, _, inside = source.partition("#")
    if whole.exists() or not archive.is_archive(before):
        return whole, ""
    return base / os.path.expanduser(before), inside


def _unpacked(path: Path, cache: Cache) -> Path:
    if not path.is_file():
        raise SourceError("there is no such archive", found=f"nothing at {path}")
    key = f"archive:{artifact.digest(artifact.digests(path.parent, [path.name]))}"
    return cache.get(key, lambda folder: archive.unpack(path, folder))
