"""A source becomes a `Subject`: its graphs, and what its files say of them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from bundler import rewrites, sources, tfjs
from bundler.artifacts import early
from bundler.artifacts.artifact import Artifact
from bundler.bundle.places import is_bundle, refuse_irregular
from bundler.disk.cache import Damaged
from bundler.disk.reach import USUAL, Reach
from bundler.errors import BundlerError, SourceError, within
from bundler.ir.model import Model
from bundler.ir.prune import prune
from bundler.manifest import Compat, ModelSpec
from bundler.outputs.savedmodel import FILE
from bundler.progress import SILENT, Progress
from bundler.scaffold.names import model_names
from bundler.stored.graphs import read_frozen
from bundler.stored.metagraphs import StoredGraph, read_graphs

__all__ = ["Frozen", "Saved", "Subject", "Unread", "Web", "subjects", "web"]


@dataclass(frozen=True)
class Web:
    """A model of TensorFlow.js: `model` is the graph of its files, with its one signature under the name."""

    name: str
    source: str
    files: Artifact
    model: Model
    compat: Compat = Compat.NONE
    allow_ops: tuple[str, ...] = ()

    @cached_property
    def portable(self) -> Model:
        """The graph that a bundle has of it, under its own names. Raises ConversionError if it cannot be imported."""
        with within(self.files.entry):
            return rewrites.run(prune(self.model), self.compat, self.allow_ops)


@dataclass(frozen=True)
class Saved:
    """A SavedModel in a folder."""

    folder: Path
    source: str
    graphs: tuple[StoredGraph, ...]


@dataclass(frozen=True)
class Frozen:
    """A GraphDef in a file."""

    path: Path
    source: str
    model: Model


@dataclass(frozen=True)
class Unread:
    """A model among others that cannot be read."""

    name: str
    source: str
    error: BundlerError


Subject = Web | Saved | Frozen | Unread


def subjects(source: str, progress: Progress = SILENT, reach: Reach = USUAL) -> list[Subject]:
    """What a source holds, fetched if need be: one thing, or all models of a folder, an archive or a package.

    Raises SourceError, or ConversionError for a malformed model.
    """
    try:
        return [_subject(source, progress, reach)]
    except Damaged:
        raise
    except SourceError as error:
        several = _several(source, progress, reach)
        if not several:
            raise error
    if len(several) == 1:
        return [_subject(several[0], progress, reach)]
    return [_one_of_several(name, each, progress, reach) for name, each in zip(model_names(several, Path()), several)]


def _several(source: str, progress: Progress, reach: Reach) -> list[str]:
    """The sources of the models that a source holds; none if it has none, or is itself the only one."""
    with suppress(SourceError):
        found = sources.listed(source, Path(), progress=progress, reach=reach)
        return [] if found == [source] else found
    return []


def _one_of_several(name: str, source: str, progress: Progress, reach: Reach) -> Subject:
    try:
        return _web(name, source, sources.fetch(source, Path(), progress=progress, reach=reach))
    except Damaged:
        raise
    except BundlerError as error:
        return Unread(name, source, error)


def _subject(source: str, progress: Progress, reach: Reach) -> Subject:
    own = Path(source)
    if own.name == FILE and is_bundle(own.parent):
        return Saved(own.parent, source, read_graphs(own.parent))
    path = sources.find(source, Path(), progress=progress, reach=reach)
    refuse_irregular(path)
    if is_bundle(path):
        return Saved(path, source, read_graphs(path))
    if _is_frozen(path):
        return Frozen(path, source, read_frozen(path))
    (name,) = model_names([source], Path())
    return _web(name, source, sources.open_found(source, path))


def web(spec: ModelSpec, base: Path, compat: Compat, progress: Progress = SILENT, reach: Reach = USUAL) -> Web:
    """A model of a manifest in the folder `base`, without the signatures that the manifest gives it."""
    files = sources.fetch(spec.source, base, progress=progress, reach=reach)
    made = _web(spec.name, spec.source, files, spec.format)
    return replace(made, compat=compat, allow_ops=tuple(spec.allow_ops))


def _web(name: str, source: str, files: Artifact, format: Literal["auto", "graph", "layers"] = "auto") -> Web:
    model = tfjs.read(files, format)
    (signature,) = model.signatures.values()
    return Web(name, source, files, replace(model, signatures={name: signature}))


def _is_frozen(path: Path) -> bool:
    """Whether a path is a graph of TensorFlow, and not one of TensorFlow.js from before 1.0."""
    return path.suffix.lower() == ".pb" and path.is_file() and not path.with_name(early.MANIFEST).exists()
