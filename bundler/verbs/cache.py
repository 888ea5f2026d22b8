"""`cache`: what the cache of fetched sources holds, and its removal."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from bundler.disk import objects
from bundler.disk.cache import default_folder
from bundler.disk.files import reason
from bundler.disk.locks import Lock
from bundler.disk.scratch import scratch, sweep
from bundler.errors import BundlerError, SourceError

__all__ = ["Cleaned", "Held", "clean", "held"]

_DAY = 24 * 60 * 60
_SCRATCH = ("fetch", "drop", "clean")
"""Names of the scratch folders in a cache."""


class Held(NamedTuple):
    """An object of the cache: the sources that it was fetched for, its size in bytes, when it was last used."""

    path: Path
    sources: tuple[str, ...]
    bytes: int
    used: float


class Cleaned(NamedTuple):
    """What `clean` removed, and what it kept."""

    removed: tuple[Held, ...]
    kept: tuple[Held, ...]


def held(folder: Path | None = None) -> tuple[Held, ...]:
    """The objects of a cache, by default that of the user; the largest first."""
    folder = folder or default_folder()
    sources = _sources(folder)
    found = (_held(path, sources) for path in _named(folder / "objects", "[0-9a-f]{64}"))
    return tuple(sorted(found, key=lambda each: (-each.bytes, each.path.name)))


def clean(folder: Path | None = None, *, days: float = 0) -> Cleaned:
    """Remove the objects of a cache that were not used for this many days, and what ended runs left behind.

    Raises BundlerError if another run of bundler uses the cache, or files cannot be removed.
    """
    folder = folder or default_folder()
    if not folder.is_dir():
        return Cleaned((), ())
    try:
        with closing(Lock(folder)) as lock:
            return _clean(folder, _least_age(folder, lock, days * _DAY))
    except OSError as error:
        raise BundlerError("the cache cannot be cleaned", where=str(folder), found=reason(error)) from error


def _least_age(folder: Path, lock: Lock, seconds: float) -> float:
    """The seconds for which an object must not have been used, if no other run holds the lock."""
    if lock.acquire(wait=False):
        return seconds
    if lock.works:
        hint = "try again when it has ended"
        raise BundlerError("another run of bundler uses the cache", where=str(folder), hint=hint)
    return max(seconds, _DAY)  # on a filesystem without locks, what was used today may be in use


def _clean(folder: Path, seconds: float) -> Cleaned:
    for name in _SCRATCH:
        sweep(folder, name)
    sweep(folder / "objects", "index")
    since = time.time() - seconds
    every = held(folder)
    removed = tuple(each for each in every if each.used <= since)
    if removed:
        with scratch(folder, "clean") as fresh:
            for each in removed:
                _remove(each.path, fresh)
    _remove_records(folder)
    return Cleaned(removed, tuple(each for each in every if each.used > since))


def _remove(kept: Path, fresh: Path) -> None:
    """Rename an object into a scratch folder, which is removed at its end: a run that begins finds it whole, or not."""
    kept.rename(fresh / kept.name)
    for suffix in (".json", ".lock"):
        objects.beside(kept, suffix).unlink(missing_ok=True)


def _remove_records(folder: Path) -> None:
    """Remove the records of objects that are not there, and their locks, which no run holds."""
    for record in _named(folder / "sources", r"[0-9a-f]{64}\.json"):
        _, kept = _record(record)
        if not kept or not (folder / "objects" / kept).is_dir():
            record.unlink(missing_ok=True)
            record.with_suffix(".lock").unlink(missing_ok=True)


# What is there -----------------------------------------------------------------------------------


def _held(path: Path, sources: Mapping[str, list[str]]) -> Held:
    index = objects.beside(path, ".json")
    used = (index if index.is_file() else path).stat().st_mtime
    return Held(path, tuple(sorted(sources.get(path.name, ()))), _size(path), used)


def _size(folder: Path) -> int:
    files = (os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)
    return sum(os.lstat(file).st_size for file in files)


def _sources(folder: Path) -> dict[str, list[str]]:
    """The sources of each object, by the object's name."""
    found: dict[str, list[str]] = {}
    for path in _named(folder / "sources", r"[0-9a-f]{64}\.json"):
        source, kept = _record(path)
        found.setdefault(kept, []).append(source)
    return found


def _record(path: Path) -> tuple[str, str]:
    """The source and the object in a record; empty if it is spoilt."""
    try:
        record = json.loads(objects.read(path))
        return str(record["source"]), re.sub("[^0-9a-f]", "", str(record["object"]))
    except (SourceError, ValueError, KeyError, TypeError, RecursionError):
        return "", ""


def _named(folder: Path, pattern: str) -> Iterator[Path]:
    """The entries of a folder whose whole name has a pattern: no other file is ours."""
    with suppress(FileNotFoundError):
        yield from (path for path in sorted(folder.iterdir()) if re.fullmatch(pattern, path.name))
