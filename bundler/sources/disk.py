"""Models on this machine: a folder, a JSON file, or an archive to unpack."""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from pathlib import Path
from threading import Lock

from bundler.disk import files
from bundler.disk.cache import Cache
from bundler.disk.digest import combined_digest, file_digests
from bundler.errors import SourceError, within
from bundler.progress import Progress
from bundler.sources import UNPACKED, archive
from bundler.sources.listing import Tree

__all__ = ["find", "tree"]


def find(source: str, base: Path, cache: Cache, progress: Progress) -> Path:
    """The model at a path: `folder`, `file.json`, `archive.zip#path/inside`."""
    path, inside = _split(source, base)
    if not _is_packed(path):
        return path
    with within(source):
        return archive.locate(_unpacked(path, cache), inside)


def tree(source: str, base: Path, cache: Cache, progress: Progress) -> Tree | None:
    """The folder or archive at a path; None for a file, which is one model."""
    path, inside = _split(source, base)
    if _is_packed(path):
        with within(source):
            return Tree(_unpacked(path, cache), inside, f"{source.removesuffix(f'#{inside}')}#")
    return Tree(path, "", "" if source == "." else f"{source}/", of_disk=True) if path.is_dir() else None


def _is_packed(path: Path) -> bool:
    return archive.is_archive(path.name) and not stat.S_ISDIR(_mode(path))


def _split(source: str, base: Path) -> tuple[Path, str]:
    """The path, and the part after `#`, unless the `#` belongs to a file's own name."""
    whole = base / os.path.expanduser(source)
    before, _, inside = source.partition("#")
    if not archive.is_archive(before) or _mode(whole):
        return whole, ""
    return base / os.path.expanduser(before), inside


def _mode(path: Path) -> int:
    """`st_mode` of a path; 0 if it does not exist. SourceError if that cannot be known."""
    try:
        return files.mode(path)
    except OSError as error:
        raise SourceError("cannot be read", where=str(path), found=files.reason(error)) from error


def _unpacked(path: Path, cache: Cache) -> Path:
    mode = _mode(path)
    if not mode:
        raise SourceError("there is no such archive", found=f"nothing at {path}")
    if not stat.S_ISREG(mode):
        raise SourceError("is no regular file", found=files.kind(mode))
    return cache.get(f"{UNPACKED}{_digest(path)}", lambda folder: archive.unpack(path, folder))


def _digest(path: Path) -> str:
    """The digest of an archive. A run asks for it several times: for each model inside, and for earlier output."""
    with _hashing.setdefault(path, Lock()):  # models are found by several threads
        found = os.stat(path)
        return _digest_of(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))


_hashing: dict[Path, Lock] = {}


@lru_cache
def _digest_of(path: Path, version: tuple[int, ...]) -> str:
    """The digest of a file of which `stat` says `version`."""
    return combined_digest(file_digests(path.parent, [path.name]))
