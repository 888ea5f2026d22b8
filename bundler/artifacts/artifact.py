"""One TensorFlow.js model on disk: an entry file (`model.json`) and its shards.

This module checks files: whether they exist and are safe to open. `tfjs` reads what the JSON means. The layout is that
of tfjs-core/src/io/types.ts, `ModelJSON`; `forms` reads the others.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from bundler.artifacts import document as documents
from bundler.artifacts import early, foreign, forms
from bundler.disk import files
from bundler.disk.digest import combined_digest, file_digests
from bundler.errors import Fault, SourceError, closest, some

__all__ = ["Artifact", "Groups", "entry", "is_model", "open", "read_entry"]

Groups: TypeAlias = tuple[tuple[str, ...], ...]
"""The paths of the shards of each group of `weightsManifest`, as the file spells them."""

_ENTRY = "model.json"
_LISTED = 10_000
"""Entries of a folder that are compared with a missing file's name."""
_HINTS = 5
"""Missing shards for which a hint names a similar file."""
_ASKED = 20
"""JSON files of a folder that are read, to name those that are models."""
_NAMED = 10
"""Models of a folder that a hint names."""
_MARKS = (b'"modelTopology"', b'"modelArtifacts"', b"tensorflowjs_models/")
"""One of these is in the JSON of every model: see `forms`."""


@dataclass(frozen=True)
class Artifact:
    """A model's files: `entry`, its `companions`, and the shards of `groups` lie in `folder`.

    `data` holds the bytes of the weights if the entry file has them itself.
    """

    folder: Path
    entry: str
    document: Mapping[str, Any] = field(repr=False)
    groups: Groups
    companions: tuple[str, ...] = ()
    data: bytes | None = field(default=None, repr=False)

    def path(self, name: str) -> Path:
        """The path of one of `files`."""
        return self.folder / name

    @property
    def files(self) -> tuple[str, ...]:
        """The distinct files, the entry first, then its companions, then the shards in their order."""
        return tuple(dict.fromkeys((self.entry, *self.companions, *self.shards)))

    @property
    def shards(self) -> tuple[str, ...]:
        """The distinct shards in their order."""
        return tuple(dict.fromkeys(name for group in self.groups for name in group))

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """The sha256, in hex, of each of `files`."""
        return file_digests(self.folder, self.files)

    @cached_property
    def digest(self) -> str:
        """`sha256:<hex>` of the files' names and contents, wherever they came from."""
        return f"sha256:{combined_digest(self.digests)}"


def open(path: Path) -> Artifact:
    """The model in a folder with a `model.json`, of a JSON file of any name, or of a graph from before 1.0.

    Raises SourceError if a file is missing, unsafe to open, or not JSON.
    """
    artifact = read_entry(entry(path))
    _refuse_absent_shards(artifact)
    return artifact


def entry(path: Path) -> Path:
    """The entry file of a model: the path itself, or the one in a folder. SourceError if there is none."""
    there = _mode(path)
    if not there:
        near = closest(path.name, _listed(path.parent))
        raise SourceError("there is no such file or folder", where=str(path), hint=near)
    found = _in_folder(path) if stat.S_ISDIR(there) else _graph_beside(path)
    inner = _mode(found)
    if not stat.S_ISREG(inner):
        raise SourceError("is no regular file", where=str(found), found=files.kind(inner))
    return found


def read_entry(path: Path) -> Artifact:
    """The model of an entry file, whether or not its shards exist.

    Raises SourceError if the file is no JSON object, or names a file outside its folder.
    """
    found = forms.read(path)
    groups = _groups(found.document, path.with_name((path.name, *found.companions)[-1]))
    return Artifact(path.parent, path.name, found.document, groups, found.companions, found.data)


def _in_folder(folder: Path) -> Path:
    if _mode(folder / _ENTRY):
        return folder / _ENTRY
    names = _listed(folder)
    graph = early.graph_file(names)
    if graph is not None:
        return folder / graph
    kind = foreign.of_folder(folder.absolute().name, names)
    if kind is not None:
        raise SourceError(kind.what, where=str(folder), expected=f"a {_ENTRY}", hint=kind.hint)
    raise SourceError(f"the folder has no {_ENTRY}", where=str(folder), hint=_other_entries(folder))


def _graph_beside(path: Path) -> Path:
    """The graph that belongs to a path: a user may name a model from before 1.0 by its weights manifest."""
    graph = early.graph_file(_listed(path.parent)) if path.name == early.MANIFEST else None
    return path if graph is None else path.with_name(graph)


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
    """Checks the shards of a folder. A model may name a hundred thousand, so the check of each is cheap."""

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
        """The path without links. The folder's own links are resolved once."""
        if os.path.islink(shard):
            return os.path.realpath(shard)
        folder, name = os.path.split(shard)
        return os.path.join(self._real(folder), name)

    def _hint(self, shard: str) -> str:
        """A hint that names a similar file, for the first few missing shards."""
        self._hints -= 1
        folder, name = os.path.split(shard)
        return closest(name, self._listed(folder)) if self._hints >= 0 else ""


def _listed(folder: Path | str) -> list[str]:
    """The sorted names of a folder's first entries; [] if it cannot be read."""
    with suppress(OSError), os.scandir(folder or os.curdir) as entries:
        return sorted(entry.name for entry in islice(entries, _LISTED))
    return []


def _other_entries(folder: Path) -> str:
    """A hint that names the files of a folder that are models under another name, or its folders with models."""
    listed = _listed(folder)
    names = [name for name in listed if name.endswith(".json")][:_ASKED]
    found = [name for name in names if is_model(folder / name)]
    if found:
        return f"name the file itself: {' or '.join(found[:_NAMED])}"
    inner = [name for name in listed if os.path.isfile(folder / name / _ENTRY)]
    return f"name one of its folders: {some(inner, _NAMED)}" if inner else ""


def is_model(path: Path) -> bool:
    """Whether a JSON file has the keys of a model. One that has them and is damaged counts: its error is of use."""
    try:
        content = documents.content(path) if files.mode(path) else b""
    except (OSError, SourceError):
        return False
    if not any(mark in content for mark in _MARKS):
        return False
    try:
        return forms.is_model(documents.read(path))
    except SourceError:
        return True
