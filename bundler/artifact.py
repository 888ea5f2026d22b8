"""One TensorFlow.js model as it lies on disk: an entry file (`model.json`) and its shards.

Here end the questions of files: are they there, are they safe to open, are they JSON. What the
JSON means is for `tfjs`. The layout is that of tfjs-core/src/io/types.ts, `ModelJSON`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from bundler.errors import Fault, SourceError, closest

__all__ = ["Artifact", "Groups", "digest", "digests", "entry", "is_inside", "open", "read_entry", "sha256"]

Groups: TypeAlias = tuple[tuple[str, ...], ...]
"""The shards' paths of each group of the weight manifest, as written."""

_ENTRY = "model.json"
_PRE_1_0 = ("tensorflowjs_model.pb", "weights_manifest.json")
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
_NEVER_IN_NAMES = "[\\\\\0\ud800-\udc7f\udd00-\udfff]"
"""Backslashes, and what no file system takes: halves of characters, but for those that stand for undecodable bytes."""
_MAX_ENTRY = 1 << 30
"""Bytes of JSON, unpacked: past this the file is a gzip bomb, not a model."""


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
    faults = list(_absent_shards(artifact))
    if faults:
        raise SourceError.of(faults)
    return artifact


def entry(path: Path) -> Path:
    """The JSON file of a model: the path itself, or `model.json` in a folder. SourceError where there is none."""
    found = path / _ENTRY if path.is_dir() else path
    _refuse_pre_1_0(found)
    if not path.exists():
        raise SourceError("there is no such file or folder", where=str(path), hint=_neighbour(path))
    if not found.is_file():
        raise SourceError(f"the folder has no {_ENTRY}", where=str(path), hint=_other_entries(path))
    return found


def read_entry(path: Path) -> tuple[Mapping[str, Any], Groups]:
    """The JSON of an entry file, plain or gzipped, and the shards that it names.

    Raises SourceError where it is no JSON object, or names a file outside its folder.
    """
    document = _parse(_content(path), path)
    if not isinstance(document, dict):
        raise SourceError(
            "is no TensorFlow.js model", where=str(path), found=f"a JSON {_kind(document)}", expected="a JSON object"
        )
    return document, _groups(document, path)


def is_inside(name: str) -> bool:
    """Whether a path, as written in a file from elsewhere, stays in its folder on every system."""
    absolute = name.startswith("/") or re.match("[A-Za-z]:", name)
    return bool(name) and not absolute and not re.search(_NEVER_IN_NAMES, name) and ".." not in name.split("/")


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
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                hashed.update(chunk)
    except OSError as error:
        raise SourceError("cannot be read", where=str(path), found=str(error)) from error
    return hashed.hexdigest()


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            gzipped = file.read(len(_GZIP)) == _GZIP
        with gzip.open(path) if gzipped else path.open("rb") as file:
            content = file.read(_MAX_ENTRY + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise SourceError("cannot be read", where=str(path), found=str(error)) from error
    if len(content) > _MAX_ENTRY:
        raise SourceError("is too large for a model's JSON", where=str(path), expected=f"at most {_MAX_ENTRY} bytes")
    return content


def _parse(content: bytes, path: Path) -> object:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise SourceError("is not JSON", where=str(path), found=f"{error.msg} at {place}") from error
    except UnicodeDecodeError as error:
        raise SourceError("is not JSON", where=str(path), found=f"no UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise SourceError("is nested too deeply for a model", where=str(path)) from error


def _kind(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")


def _groups(document: Mapping[str, Any], path: Path) -> Groups:
    try:
        groups = tuple(_paths(group) for group in document.get("weightsManifest") or ())
    except (TypeError, KeyError) as error:
        raise SourceError(
            "weightsManifest is malformed", where=str(path), expected="a list of groups, each with a list of paths"
        ) from error
    for name in (name for group in groups for name in group if not is_inside(name)):
        raise SourceError(
            "a shard's path is not safe",
            where=str(path),
            found=repr(name),
            expected="a path inside the model's folder, with forward slashes",
        )
    return groups


def _paths(group: Mapping[str, Any]) -> tuple[str, ...]:
    paths = group["paths"]
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise TypeError("paths is no list of strings")
    return tuple(paths)


def _absent_shards(artifact: Artifact) -> Iterator[Fault]:
    folder = artifact.folder.resolve()
    for name in artifact.files[1:]:
        path = artifact.path(name)
        if not path.resolve().is_relative_to(folder):
            yield Fault("a link leads out of the model's folder", str(path), found=str(path.resolve()))
        elif not path.is_file():
            yield Fault(f"the shard {name!r} is missing", str(artifact.path(artifact.entry)), hint=_neighbour(path))


def _neighbour(path: Path) -> str:
    """A hint at a file beside `path` of nearly its name."""
    return closest(path.name, sorted(near.name for near in path.parent.glob("*")))


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
    names = [path.name for path in sorted(folder.glob("*.json")) if _is_model(path)]
    return f"name the file itself: {' or '.join(names[:10])}" if names else ""


def _is_model(path: Path) -> bool:
    try:
        return "modelTopology" in read_entry(path)[0]
    except SourceError:
        return False
