"""A source becomes a `Subject`: its graphs, and what its files say of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from bundler import rewrites, sources, tfjs
from bundler.artifacts import early
from bundler.artifacts.artifact import Artifact
from bundler.bundle import is_bundle
from bundler.errors import within
from bundler.ir.model import Model
from bundler.ir.prune import prune
from bundler.manifest import Compat, ModelSpec
from bundler.outputs.savedmodel import FILE
from bundler.stored.graphs import StoredGraph, read_frozen, read_graphs

__all__ = ["Frozen", "Saved", "Subject", "Web", "name_of", "subject", "web"]


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


Subject = Web | Saved | Frozen


def subject(source: str) -> Subject:
    """What a source holds, fetched if need be. Raises SourceError, or ConversionError for a malformed model."""
    own = Path(source)
    if own.name == FILE and is_bundle(own.parent):
        return Saved(own.parent, source, read_graphs(own.parent))
    path = sources.find(source, Path())
    if is_bundle(path):
        return Saved(path, source, read_graphs(path))
    if _is_frozen(path):
        return Frozen(path, source, read_frozen(path))
    return _web(name_of(source), source, sources.open_found(source, path))


def web(spec: ModelSpec, base: Path, compat: Compat) -> Web:
    """A model of a manifest in the folder `base`, without the signatures that the manifest gives it."""
    made = _web(spec.name, spec.source, sources.fetch(spec.source, base), spec.format)
    return replace(made, compat=compat, allow_ops=tuple(spec.allow_ops))


def _web(name: str, source: str, files: Artifact, format: Literal["auto", "graph", "layers"] = "auto") -> Web:
    model = tfjs.read(files, format)
    (signature,) = model.signatures.values()
    return Web(name, source, files, replace(model, signatures={name: signature}))


def _is_frozen(path: Path) -> bool:
    """Whether a path is a graph of TensorFlow, and not one of TensorFlow.js from before 1.0."""
    return path.suffix.lower() == ".pb" and path.is_file() and not path.with_name(early.MANIFEST).exists()


_COMMON = {"model", "web_model", "tensorflowjs_model", "tfjs_model", "package"}
"""Names of files and folders that do not distinguish models."""


def name_of(source: str) -> str:
    """A short name for a model: the last part of its source that distinguishes it."""
    return next((part for part in _parts(source) if part and part.lower() not in _COMMON), source)


def _parts(source: str) -> Iterator[str]:
    """The parts of a source from the last to the first, without endings and versions."""
    path = re.split(r"[?&]", source)[0] if source.startswith("http") else source
    for part in reversed(re.split("[/#]", path.removeprefix("npm:"))):
        name = re.sub(r"(?i)\.(json|pb|zip|tgz|tar\.gz)$", "", part)
        yield re.sub(r"(?<=.)@[\d.]+.*$", "", name) if source.startswith("npm:") else name.strip(".")
