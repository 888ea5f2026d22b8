"""One TensorFlow.js model as it lies on disk: an entry file (`model.json`) and its shards.

Here end the questions of files: are they there, and are they safe to open. What the JSON means is
for `tfjs`. The layout is that of tfjs-core/src/io/types.ts, `ModelJSON`.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from bundler import document as documents
from bundler import files
from bundler.errors import Fault, SourceError, closest

__all__ = ["Artifact", "Groups", "digest", "digests", "entry", "open", "read_entry", "sha256"]

Groups: TypeAlias = tuple[tuple[str, ...], ...]
"""The shards' paths of each group of the weight manifest, as written."""

_ENTRY = "model.json"
_PRE_1_0 = ("tensorflowjs_model.pb", "weights_manifest.json")
_CHUNK = 1 << 20
_LISTED = 10_000
"""Entries of a folder among which a file of a similar name is looked for."""
_HINTS = 5
"""Missing shards for which such a file is looked for."""
_ASKED = 20
"""JSON files of a folder that are looked at, to name those that are models."""
_SMALL = 16 << 20


@dataclass(frozen=True)
class Artifact:
    """A model's files: `entry` and the shards of `groups` lie in `folder`."""

    folder: Path
    entry: str
    document: Mapping[str, Any] = field(repr=False)
    groups: Groups

    def path(self, name: str) -> Path:
        """Where one of `files` lies."""
        return self.folder / name

    @property
    def files(self) -> tuple[str, ...]:
        """The distinct files, the entry first, then the shards in their order."""
        shards = (name for group in self.groups for name in group)
        return tuple(dict.fromkeys((self.entry, *shards)))

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """The sha256, in hex, of each of `files`."""
        return digests(self.folder, self.files)

    @cached_property
    def digest(self) -> str:
        """`sha256:<hex>` of the files' names and contents, wherever they came from."""
        return f"sha256:{digest(self.digests)}"


def open(path: Path) -> Artifact:
    """The model in a folder with a `model.json`, or behind a JSON file of any name.

    Raises SourceError where a file is missing, unsafe to open, or not JSON.
    """
    path = entry(path)
    document, groups = read_entry(path)
    artifact = Artifact(path.parent, path.name, document, groups)
    _refuse_absent_shards(artifact)
    return artifact


def entry(path: Path) -> Path:
    """The JSON file of a model: the path itself, or `model.json` in a folder. SourceError where there is none."""
    there = _mode(path)
    found = path / _ENTRY if stat.S_ISDIR(there) else path
    inner = _mode(found) if there else 0
    _refuse_pre_1_0(found)
    if not there:
        near = closest(path.name, _listed(path.parent))
        raise SourceError("there is no such file or folder", where=str(path), hint=near)
    if not inner:
        raise SourceError(f"the folder has no {_ENTRY}", where=str(path), hint=_other_entries(path))
    if not stat.S_ISREG(inner):
        raise SourceError("is no regular file", where=str(found), found=files.kind(inner))
    return found


def read_entry(path: Path) -> tuple[Mapping[str, Any], Groups]:
    """The JSON of an entry file, plain or gzipped, and the shards that it names.

    Raises SourceError where it is no JSON object, or names a file outside its folder.
    """
    document = documents.read(path)
    return document, _groups(document, path)


def digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The sha256, in hex, of each file's bytes, by its name."""
    return {name: sha256(folder / name) for name in names}


def digest(digests: Mapping[str, str]) -> str:
    """One sha256, in hex, for files by name and sha256, in the order given.

    Names go in after their lengths, so that no two sets of files read the same.
    """
    hashed = hashlib.sha256()
    for name, file_digest in digests.items():
        spelled = name.encode(errors="surrogateescape")
        hashed.update(b"%d " % len(spelled) + spelled + file_digest.encode())
    return hashed.hexdigest()


def sha256(path: Path) -> str:
    """The sha256, in hex, of a file's bytes. SourceError where it cannot be read."""
    hashed = hashlib.sha256()
    try:
        with files.opened(path) as file:
            while chunk := file.read(_CHUNK):
                hashed.update(chunk)
    except OSError as error:
        raise SourceError("cannot be read", where=str(path), found=files.reason(error)) from error
    return hashed.hexdigest()


def _mode(path: Path) -> int:
    try:
        return files.mode(path)
    except OSError as error:
        raise SourceError("cannot be read", where=str(path), found=files.reason(error)) from error


def _groups(document: Mapping[str, Any], path: Path) -> Groups:
    try:
        groups = tuple(_paths(group) for group in document.get("weightsManifest") or ())
    except (TypeError, KeyError) as error:
        raise SourceError(
            "weightsManifest is malformed", where=str(path), expected="a list of groups, each with a list of paths"
        ) from error
    for name in (name for group in groups for name in group):
        if not files.is_safe(name):
            raise SourceError(
                "a shard's path is not safe",
                where=str(path),
                found=files.spelled(name),
                expected="a path inside the model's folder, with forward slashes",
            )
        if name.endswith(path.name) and str(PurePosixPath(name)) == path.name:
            raise SourceError("the model's JSON is one of its own shards", where=str(path), found=repr(name))
    return groups


def _paths(group: Mapping[str, Any]) -> tuple[str, ...]:
    paths = group["paths"]
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise TypeError("paths is no list of strings")
    return tuple(paths)


def _refuse_absent_shards(artifact: Artifact) -> None:
    faults = filter(None, map(_Shards(artifact.folder).fault, artifact.files[1:]))
    first = next(faults, None)
    if first is not None:
        raise SourceError.of(chain([first], faults))


class _Shards:
    """What is wrong with the shards of a folder. A model may name a hundred thousand, so each costs little."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._root = os.path.realpath(folder)
        self._inside = os.path.join(self._root, "")
        self._real = cache(os.path.realpath)
        self._listed = cache(_listed)
        self._hints = _HINTS

    def fault(self, name: str) -> Fault | None:
        shard = os.path.join(self._folder, os.path.normpath(name))
        place = self._place(shard)
        if place != self._root and not place.startswith(self._inside):
            return Fault("a link leads out of the model's folder", shard, found=place)
        try:
            mode = files.mode(shard)
        except OSError as error:
            return Fault("cannot be read", shard, found=files.reason(error))
        if not mode:
            return Fault("the shard is missing", shard, hint=self._hint(shard))
        return None if stat.S_ISREG(mode) else Fault("is no regular file", shard, found=files.kind(mode))

    def _place(self, shard: str) -> str:
        """The path without links; only the shard's own is looked at for each shard."""
        if os.path.islink(shard):
            return os.path.realpath(shard)
        folder, name = os.path.split(shard)
        return os.path.join(self._real(folder), name)

    def _hint(self, shard: str) -> str:
        """A hint at a file of a similar name, for the first shards that ask."""
        self._hints -= 1
        folder, name = os.path.split(shard)
        return closest(name, self._listed(folder)) if self._hints >= 0 else ""


def _listed(folder: Path | str) -> list[str]:
    """The names of a folder's first entries, in order; none if it cannot be read."""
    with suppress(OSError), os.scandir(folder or os.curdir) as entries:
        return sorted(entry.name for entry in islice(entries, _LISTED))
    return []


def _refuse_pre_1_0(entry: Path) -> None:
    found = [name for name in _PRE_1_0 if (entry.parent / name).is_file()]
    if entry.name in found or (found and not entry.is_file()):
        raise SourceError(
            "the model is in the pre-1.0 TensorFlow.js format, which has no model.json",
            where=str(entry.parent),
            found=" and ".join(found),
            hint="convert it with the tools of TensorFlow.js 0.8, or ask its author for a model.json",
        )


def _other_entries(folder: Path) -> str:
    """A hint at the files of a folder that are models under another name."""
    candidates = [folder / name for name in _listed(folder) if name.endswith(".json")]
    names = [path.name for path in candidates[:_ASKED] if _is_model(path)]
    return f"name the file itself: {' or '.join(names[:10])}" if names else ""


def _is_model(path: Path) -> bool:
    try:
        return path.stat().st_size <= _SMALL and "modelTopology" in documents.read(path)
    except (OSError, SourceError):
        return False
