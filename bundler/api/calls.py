"""What a program or a command line asks for without a manifest: one model or several, each in a MetaGraph of its own.

A call becomes a manifest with `layout = "tags"` and is built as any other, with three liberties that a manifest does
not take, because callers of the predecessor rely on them: a method name is taken as it stands, new names that no
tensor has are passed over, and tensors that the predecessor knew by the names of their nodes keep these.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeVar

from bundler import manifest, sources
from bundler.convert.arguments import usable
from bundler.errors import ManifestError
from bundler.ir.model import PREDICT, Model, Signature, TensorSpec
from bundler.ir.nodes import short_names
from bundler.manifest import Compat, Manifest
from bundler.progress import SILENT, Progress
from bundler.report import Report
from bundler.verbs.build import bundled
from bundler.verbs.freeze import freeze, frozen
from bundler.verbs.given import Given

if TYPE_CHECKING:
    from bundler.convert.one import Converted

__all__ = ["AskedModel", "AskedSignature", "frozen_graph", "read", "renamed", "saved_model"]

_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class AskedSignature:
    """A signature by its key: the tensors that it gives, and what TensorFlow Serving is told of it.

    `rename` is checked like a manifest's: each name must be that of an input or output.
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


@sources.fetching_damaged_again
def saved_model(
    models: Sequence[AskedModel],
    output: Path,
    *,
    compat: Compat = Compat.NONE,
    force: bool = False,
    cuda: bool = False,
    progress: Progress = SILENT,
) -> Report:
    """Write a SavedModel with a MetaGraph for each model, found by its tags. Raises BundlerError."""
    return bundled(_given(models, compat, progress), output, force=force, cuda=cuda)


@sources.fetching_damaged_again
def frozen_graph(
    model: AskedModel,
    output: Path,
    *,
    compat: Compat = Compat.NONE,
    cuda: bool = False,
    progress: Progress = SILENT,
) -> Report:
    """Write a model as a frozen graph: one file, a GraphDef that holds the weights. Raises BundlerError."""
    return freeze(_given([model], compat, progress), output, cuda=cuda)


@sources.fetching_damaged_again
def read(model: AskedModel, *, compat: Compat = Compat.NONE, cuda: bool = False) -> Model:
    """The model whose graph `frozen_graph` would write. Raises BundlerError."""
    return frozen(_given([model], compat, SILENT), cuda=cuda)


def _given(models: Sequence[AskedModel], compat: Compat, progress: Progress) -> Given:
    return Given(_manifest(models, compat), progress=progress, finish=partial(_finish, models))


def renamed(
    entries: Mapping[str, _Entry], names: Mapping[str, str], tensor: Callable[[_Entry], str]
) -> dict[str, _Entry]:
    """One side of a signature under new names, by old key, or by tensor (`y`, `y:0`) where no entry has that key.

    `tensor` gives an entry's tensor. Names swap in one go. ManifestError when two entries would share a name.
    """
    found: dict[str, _Entry] = {}
    for key, entry in entries.items():
        known = (key, *_not_keys(entries, tensor(entry)))
        new = next((names[name] for name in known if name in names), key)
        if new in found:
            raise ManifestError(f"two tensors would be called {new!r}", where="rename", found=", ".join(names))
        found[new] = entry
    return found


def _not_keys(entries: Mapping[str, object], tensor: str) -> Iterable[str]:
    return (name for name in (tensor, tensor.removesuffix(":0")) if name not in entries)


# What a manifest does not say ---------------------------------------------------------------------


def _finish(asked: Sequence[AskedModel], made: Sequence[Converted]) -> list[Converted]:
    return [_finish_one(*pair) for pair in zip(asked, made)]


def _finish_one(asked: AskedModel, made: Converted) -> Converted:
    signatures = made.model.signatures
    if not asked.signatures:
        signatures = {key: _own(signature, made) for key, signature in signatures.items()}
    methods = {signature.key: signature.method_name for signature in asked.signatures}
    signatures = {
        key: replace(_renamed(signature, asked.names), method_name=methods.get(key, PREDICT))
        for key, signature in signatures.items()
    }
    return replace(made, model=replace(made.model, signatures=signatures))


def _own(signature: Signature, made: Converted) -> Signature:
    """The model's own signature by the names of its nodes, unless these are from the one place the predecessor read."""
    plain = replace(signature, inputs=_passed(_by_tensor(signature.inputs)), outputs=_by_tensor(signature.outputs))
    return signature if plain == signature or made.names_its_signature else plain


def _passed(inputs: Mapping[str, TensorSpec]) -> dict[str, TensorSpec]:
    """Inputs by names that callers in Python can pass."""
    changed = usable(inputs)
    return {changed[name].proposed if name in changed else name: spec for name, spec in inputs.items()}


def _by_tensor(side: Mapping[str, TensorSpec]) -> dict[str, TensorSpec]:
    return short_names({spec.tensor.full: spec for spec in side.values()})


def _renamed(signature: Signature, names: Mapping[str, str]) -> Signature:
    inputs, outputs = (
        renamed(side, names, lambda spec: spec.tensor.full) for side in (signature.inputs, signature.outputs)
    )
    return replace(signature, inputs=inputs, outputs=outputs)


# The manifest -------------------------------------------------------------------------------------


def _manifest(models: Sequence[AskedModel], compat: Compat) -> Manifest:
    base = _base([model.source for model in models])
    names = _names([model.source for model in models])
    entries = [
        {
            "name": name,
            "source": _from(base, model.source),
            "tags": list(model.tags),
            **({"signature": [_signature(asked) for asked in model.signatures]} if model.signatures else {}),
        }
        for name, model in zip(names, models)
    ]
    bundle = {"name": names[0] if names else "models", "layout": "tags", "compat": compat.value}
    return manifest.of({"bundle": bundle, "model": entries}, base / (names[0] if len(names) == 1 else "models"))


def _signature(asked: AskedSignature) -> dict[str, object]:
    return {"key": asked.key, "outputs": list(asked.outputs), "rename": dict(asked.rename)}


def _path(source: str) -> str | None:
    """The absolute path of what is on disk, with what follows `#` inside an archive; None for other sources."""
    path = os.path.abspath(os.path.expanduser(source))
    return path if os.path.exists(path) or os.path.exists(path.partition("#")[0]) else None


def _base(spelled: Iterable[str]) -> Path:
    """The folder that sources are relative to: so the record of a bundle is the same on every machine."""
    parents = [os.path.dirname(path) for source in spelled if (path := _path(source))]
    return Path(os.path.commonpath(parents) if parents else os.curdir)


def _from(base: Path, source: str) -> str:
    path = _path(source)
    if path is None:
        return source
    inner = PurePath(os.path.relpath(path, base)).as_posix()
    return f"./{inner}" if ":" in inner else inner  # a colon would make it look like `npm:…`


def _names(spelled: Iterable[str]) -> list[str]:
    """A name for each model, from its folder or file: what reports and errors call it."""
    found: list[str] = []
    for source in spelled:
        path = PurePath(_path(source) or source)
        stem = path.parent.name if path.name == "model.json" else path.name.removesuffix(".json")
        name = re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).strip("_.-") or "model"
        found.append(name if name not in found else f"{name}_{len(found) + 1}")
    return found
