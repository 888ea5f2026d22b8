"""The models that a folder holds: of this machine, of an archive or of a package."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bundler.artifacts import artifact, early, foreign
from bundler.errors import SourceError
from bundler.sources import archive

__all__ = ["Tree", "models"]

_ENTRY = "model.json"
_PACKAGES = "node_modules"
_DEEPEST = 64
"""Folders in one another, as in archives (`disk.files`)."""
_MOST_FILES = 200_000
"""Files below a folder that are looked at."""
_MOST_MODELS = 500
_LISTED = 10


class Tree(NamedTuple):
    """A folder that may hold models, or the part of it at the path `inside`.

    The model at a path below `folder` has the source `prefix` and that path. `of_disk`: a folder with a `model.json` is
    a source too.
    """

    folder: Path
    inside: str
    prefix: str
    of_disk: bool = False

    def source(self, path: str) -> str:
        """The source of the model at a path below the folder."""
        whole = PurePosixPath(self.prefix + path)
        named = self.of_disk and whole.name == _ENTRY and whole.parent.name not in ("", "..")
        return str(whole.parent) if named else self.prefix + path


def models(tree: Tree) -> list[str]:
    """The entry files of all models in a tree, as paths below its folder, sorted.

    Hidden folders and `node_modules` are skipped. Raises SourceError if there are none, or too many.
    """
    start = archive.locate(tree.folder, tree.inside) if tree.inside else tree.folder
    if start.is_file():
        return [tree.inside]
    folders = list(_folders(start))
    found = list(
        islice((place / name for place, names in folders for name in _entries(place, names)), _MOST_MODELS + 1)
    )
    if not found:
        raise _without_models(start, folders)
    if len(found) > _MOST_MODELS:
        hint = "name a part of it"
        raise SourceError("holds too many models", found="more", expected=f"at most {_MOST_MODELS}", hint=hint)
    return sorted(path.relative_to(tree.folder).as_posix() for path in found)


def _folders(start: Path) -> Iterator[tuple[Path, list[str]]]:
    """Each folder below, and the sorted names of its files. SourceError if there are too many files."""
    seen = 0
    for place, folders, names in os.walk(start):
        deepest = place.count(os.sep) - str(start).count(os.sep) >= _DEEPEST
        folders[:] = [] if deepest else [name for name in folders if not name.startswith(".") and name != _PACKAGES]
        seen += len(names)
        if seen > _MOST_FILES:
            raise SourceError(
                "has too many files to look for models", expected=f"at most {_MOST_FILES:,}", hint="name a part of it"
            )
        yield Path(place), sorted(names)


def _without_models(start: Path, folders: Sequence[tuple[Path, list[str]]]) -> SourceError:
    """An error that names a model of another format, or the JSON files."""
    for place, names in folders:
        kind = foreign.of_folder(place.absolute().name, names)
        if kind is not None:
            inner = "" if place == start else place.relative_to(start).as_posix()
            return SourceError(kind.what, where=inner, hint=kind.hint)
    files_found = (place / name for place, names in folders for name in names if name.lower().endswith(".json"))
    listed = ", ".join(path.relative_to(start).as_posix() for path in islice(files_found, _LISTED))
    hint = f"its JSON files have no modelTopology: {listed}" if listed else "it has no JSON files"
    return SourceError("holds no TensorFlow.js model", hint=hint)


def _entries(folder: Path, names: Sequence[str]) -> Iterator[str]:
    """The entry files of models in one folder, by name."""
    yield from (name for name in names if name.lower().endswith(".json") and artifact.is_model(folder / name))
    graph = early.graph_file(names) if early.MANIFEST in names else None
    if graph is not None:
        yield graph
