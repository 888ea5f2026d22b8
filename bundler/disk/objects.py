"""Objects of the cache: folders that are named by the digest of their index, a file beside each.

The index has the size and the sha256 of each file of the object.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from bundler.disk.digest import combined_digest, sha256
from bundler.disk.scratch import scratch
from bundler.errors import SourceError

__all__ = ["Index", "beside", "damage", "index_of", "is_whole", "name_of", "put", "read", "write_index"]

Index: TypeAlias = "Mapping[str, tuple[int, str]]"
"""Size and sha256 of each file of an object, by its name."""

_LISTED = 3
"""Damaged files that an error lists."""


def index_of(folder: Path) -> Index:
    """The index of a folder, from its files. SourceError if one cannot be read."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name: ((folder / name).stat().st_size, sha256(folder / name)) for name in names}


def name_of(index: Index) -> str:
    """The name of the object that has an index."""
    return combined_digest({name: digest for name, (_, digest) in index.items()})


def is_whole(kept: Path) -> bool:
    """Whether all files of an object are present in their sizes. Objects of older versions get an index, once.

    The time of the index is then that of the last use.
    """
    index = _read_index(kept) or _made_index(kept)
    place = os.path.join(kept, "")  # strings, for speed: a package has hundreds of files, and each build checks them
    whole = index is not None and all(_size(place + name) == size for name, (size, _) in index.items())
    if whole:
        with suppress(OSError):  # a cache that others wrote, or that is read-only
            os.utime(beside(kept, ".json"))
    return whole


def damage(kept: Path, digests: Mapping[str, str] | None = None) -> str:
    """The first files of an object that differ from its index, or "its index"; "" if there is no damage.

    `digests` are the sha256 of files that were read, by name; without them every file of the object is read.
    """
    index = _read_index(kept)
    if index is None:
        return "its index"
    found = {name: _digest(kept / name) for name in index} if digests is None else digests
    wrong = [name for name, digest in found.items() if index.get(name, (0, ""))[1] != digest]
    return ", ".join(wrong[:_LISTED])


def put(content: Path, kept: Path, fresh: Path) -> None:
    """Rename `content` to `kept`; a damaged object there goes to `fresh`."""
    with suppress(FileNotFoundError):
        kept.rename(fresh / "damaged")
    content.rename(kept)


def write_index(index: Index, kept: Path, fresh: Path) -> None:
    """Write the index of an object, by way of the scratch folder `fresh`."""
    path = fresh / "index.json"
    path.write_text(json.dumps(index) + "\n")
    path.replace(beside(kept, ".json"))


def read(path: Path) -> bytes:
    """The content of a file of the cache. SourceError if it cannot be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SourceError("is no file", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise SourceError("cannot be read", where=str(path), found=str(error)) from error


def beside(kept: Path, suffix: str) -> Path:
    """The path of a file that belongs to an object: its index, its lock."""
    return kept.with_name(kept.name + suffix)


def _read_index(kept: Path) -> Index | None:
    """The index of an object; None if it is missing, or is not the one that the object is named by."""
    try:
        entries = json.loads(read(beside(kept, ".json")))
        index = {str(name): (int(size), str(digest)) for name, (size, digest) in entries.items()}
    except (SourceError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    return index if name_of(index) == kept.name else None


def _made_index(kept: Path) -> Index | None:
    """A new index for an object, written beside it; None if the files are not those that it is named by."""
    with suppress(SourceError, OSError):
        index = index_of(kept)
        if kept.is_dir() and name_of(index) == kept.name:
            with scratch(kept.parent, "index") as fresh:
                write_index(index, kept, fresh)
            return index
    return None


def _digest(path: Path) -> str:
    """The sha256 of a file; "" if there is none."""
    return sha256(path) if _size(path) >= 0 else ""


def _size(path: Path | str) -> int:
    """The bytes of a file; -1 for anything else."""
    try:
        found = os.lstat(path)
    except OSError:
        return -1
    return found.st_size if stat.S_ISREG(found.st_mode) else -1
