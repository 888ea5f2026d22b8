"""Models without a manifest: what a call of the predecessor's API or `bundler convert` asks for, as a manifest."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from bundler import manifest, sources
from bundler.ir.model import PREDICT
from bundler.manifest import Compat, Manifest

__all__ = ["AskedModel", "AskedSignature", "as_manifest"]


@dataclass(frozen=True)
class AskedSignature:
    """A signature of a model: its key, the tensors that it returns, and its method for TensorFlow Serving.

    `rename` is checked as in a manifest: each name must be that of an input or output.
    """

    key: str
    outputs: Sequence[str]
    method_name: str = PREDICT
    rename: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AskedModel:
    """A model by its source; without `signatures` it keeps its own, as `serving_default`.

    `names` are new names for inputs and outputs of any of its signatures, by key or tensor. With `by_node` its own
    signature has the names of nodes, as the predecessor's, and not those that the file gives inputs and outputs.
    """

    source: str
    tags: Sequence[str] = ("serve",)
    signatures: Sequence[AskedSignature] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    by_node: bool = False


def as_manifest(models: Sequence[AskedModel], compat: Compat) -> Manifest:
    """A manifest with `layout = "tags"` for these models. Raises ManifestError as for a file.

    Its path is that of no file: a name beside the models, for errors. The record of a bundle holds no absolute paths.
    """
    paths = [_path(model.source) for model in models]
    base = _common_folder(filter(None, paths))
    moved = [
        sources.moved(model.source, Path.cwd(), base) if path else model.source for path, model in zip(paths, models)
    ]
    names = _distinct(map(_name, moved, paths))
    entries = [_entry(*each) for each in zip(names, moved, models)]
    bundle = {"name": names[0] if names else "models", "layout": "tags", "compat": compat.value}
    return manifest.of({"bundle": bundle, "model": entries}, base / (names[0] if len(names) == 1 else "models"))


def _entry(name: str, source: str, model: AskedModel) -> dict[str, object]:
    """A `[[model]]` table."""
    table: dict[str, object] = {"name": name, "source": source, "tags": list(model.tags)}
    signatures = [
        {"key": asked.key, "outputs": list(asked.outputs), "rename": dict(asked.rename)} for asked in model.signatures
    ]
    return table | ({"signature": signatures} if signatures else {})


def _path(source: str) -> str | None:
    """The absolute path of the file or folder that holds a source; None if it is fetched, or not there."""
    path = sources.at_hand(source, Path.cwd())
    return os.path.abspath(path) if path is not None and os.path.lexists(path) else None


def _common_folder(paths: Iterable[str]) -> Path:
    """The folder that sources are relative to: so the record of a bundle is the same on every machine."""
    parents = [os.path.dirname(path) for path in paths]
    return Path(os.path.commonpath(parents) if parents else os.curdir)


def _name(source: str, path: str | None) -> str:
    """A legal name for a model, from its folder or file; in an archive, from its path inside."""
    holder, _, inside = source.partition("#")
    whole = PurePath(path or holder)
    packed = inside and not whole.name.endswith(f"#{inside}")  # a file's own name may have a #, too
    file = whole.with_suffix("") / inside if packed else whole
    stem = file.parent.name if file.name == "model.json" else file.name.removesuffix(".json")
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).strip("_.-") or "model"


def _distinct(names: Iterable[str]) -> list[str]:
    """The names, with the position of those that came before: `a`, `a_2`."""
    found: list[str] = []
    for name in names:
        found.append(name if name not in found else f"{name}_{len(found) + 1}")
    return found
