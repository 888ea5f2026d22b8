"""The models that a folder holds: of this machine, of an archive or of a package."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bundler.artifacts import document as documents
from bundler.artifacts import early, forms
from bundler.disk import files
from bundler.errors import SourceError
from bundler.sources import archive

__all__ = ["Tree", "models"]

_ENTRY = "model.json"
_MARKS = (b'"modelTopology"', b'"modelArtifacts"', b"tensorflowjs_models/")
"""One of these is in the JSON of every model: see `artifacts.forms`."""
_MOST_FILES = 200_000
"""Files below a folder that are looked at."""
_MOST_MODELS = 500


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
    found = []
    for path in _models(start):
        found.append(path.relative_to(tree.folder).as_posix())
        if len(found) > _MOST_MODELS:
            raise SourceError(
                "holds too many models", found="more", expected=f"at most {_MOST_MODELS}", hint="name a part of it"
            )
    if not found:
        archive.refuse_foreign(start)
        raise SourceError("holds no TensorFlow.js model", hint=archive.models_hint(start))
    return sorted(found)


def _models(folder: Path) -> Iterator[Path]:
    seen = 0
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "node_modules"]
        seen += len(names)
        if seen > _MOST_FILES:
            raise SourceError(
                "has too many files to look for models", expected=f"at most {_MOST_FILES:,}", hint="name a part of it"
            )
        yield from (Path(place, name) for name in _entries(Path(place), names))


def _entries(folder: Path, names: Sequence[str]) -> Iterator[str]:
    """The entry files of models in one folder, by name."""
    yield from (name for name in names if name.lower().endswith(".json") and _is_model(folder / name))
    graph = early.graph_file(names) if early.MANIFEST in names else None
    if graph is not None:
        yield graph


def _is_model(path: Path) -> bool:
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
