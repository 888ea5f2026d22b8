"""Models without a manifest: what a call of the predecessor's API or `bundler convert` asks for, as a manifest."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from bundler import manifest
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

    `names` are new names for inputs and outputs of any of its signatures, by key or tensor.
    """

    source: str
    tags: Sequence[str] = ("serve",)
    signatures: Sequence[AskedSignature] = ()
    names: Mapping[str, str] = field(default_factory=dict)


def as_manifest(models: Sequence[AskedModel], compat: Compat) -> Manifest:
    """A manifest with `layout = "tags"` for these models. Raises ManifestError as for a file.

    Its path is that of no file: a name beside the models, for errors. The record of a bundle holds no absolute paths.
    """
    paths = [_path(model.source) for model in models]
    base = _common_folder(filter(None, paths))
    names = _distinct(_name(path or model.source) for path, model in zip(paths, models))
    entries = [
        _entry(name, _relative(path, base) if path else model.source, model)
        for name, path, model in zip(names, paths, models)
    ]
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
    """The absolute path of a source on disk, with what follows `#` inside an archive; None for other sources."""
    path = os.path.abspath(os.path.expanduser(source))
    return path if os.path.exists(path) or os.path.exists(path.partition("#")[0]) else None


def _common_folder(paths: Iterable[str]) -> Path:
    """The folder that sources are relative to: so the record of a bundle is the same on every machine."""
    parents = [os.path.dirname(path) for path in paths]
    return Path(os.path.commonpath(parents) if parents else os.curdir)


def _relative(path: str, base: Path) -> str:
    inner = PurePath(os.path.relpath(path, base)).as_posix()
    return f"./{inner}" if ":" in inner else inner  # with a colon it would read as `npm:…`


def _name(source: str) -> str:
    """A legal name for a model, from its folder or file."""
    path = PurePath(source)
    stem = path.parent.name if path.name == "model.json" else path.name.removesuffix(".json")
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).strip("_.-") or "model"


def _distinct(names: Iterable[str]) -> list[str]:
    """The names, with the position of those that came before: `a`, `a_2`."""
    found: list[str] = []
    for name in names:
        found.append(name if name not in found else f"{name}_{len(found) + 1}")
    return found
