"""A TensorFlow.js model becomes a `tf.Graph`, a frozen graph or a SavedModel."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from bundler.api import calls
from bundler.api.asked import AskedModel, AskedSignature
from bundler.api.cuda import is_cuda_enabled
from bundler.api.failures import InputError, refusals
from bundler.api.functions import graph_def_to_graph_v1
from bundler.ir.model import PREDICT
from bundler.ir.protos import GraphDef, SignatureDef
from bundler.manifest import Compat
from bundler.outputs import savedmodel

if TYPE_CHECKING:
    from bundler.api.graphs import TensorFlowGraph
    from bundler.api.renames import RenameMap

__all__ = [
    "SIGNATURE_METHOD",
    "SIGNATURE_OUTPUTS",
    "CompatMode",
    "graph_model_to_frozen_graph",
    "graph_model_to_saved_model",
    "graph_models_to_saved_model",
    "load_graph_model",
    "load_graph_model_and_signature",
]

SIGNATURE_OUTPUTS = "outputs"
SIGNATURE_METHOD = "method_name"
CompatMode: TypeAlias = Compat

Signatures: TypeAlias = Mapping["str | None", Mapping[str, Any]]
"""By key (None and "" stand for `serving_default`): the outputs, one name or several, and optionally the method."""


def load_graph_model(model_dir: str, compat_mode: CompatMode = Compat.NONE) -> TensorFlowGraph:
    """The model in a folder or JSON file, as a `tf.Graph` that holds its weights.

    Raises InputError, a ValueError, if there is no model or it cannot be converted; ModelFormatError if it is a Keras
    (layers) model that cannot be read here.
    """
    return load_graph_model_and_signature(model_dir, compat_mode)[0]


def load_graph_model_and_signature(
    model_dir: str, compat_mode: CompatMode = Compat.NONE
) -> tuple[TensorFlowGraph, SignatureDef]:
    """The same with the model's signature: its own, or else its Placeholders and the nodes that no other node reads."""
    source = os.fspath(model_dir)
    with refusals(source):
        model = calls.read(AskedModel(source, by_node=True), compat=compat_mode, cuda=is_cuda_enabled())
    (signature,) = model.signatures.values()
    graph_def = GraphDef.FromString(savedmodel.frozen_graph(model))
    return graph_def_to_graph_v1(graph_def), savedmodel.signature_def(signature)


def graph_model_to_frozen_graph(model_dir: str, export_path: str, compat_mode: CompatMode = Compat.NONE) -> str:
    """Write a model as a frozen graph, a binary GraphDef that holds its weights. Returns the file's path.

    Raises as `load_graph_model`.
    """
    source, path = os.fspath(model_dir), os.path.expanduser(export_path)
    with refusals(source):
        calls.frozen_graph(AskedModel(source), Path(path), compat=compat_mode, cuda=is_cuda_enabled())
    return path


def graph_model_to_saved_model(
    model_dir: str,
    export_dir: str,
    tags: str | Sequence[str] | None = None,
    signature_def_map: Signatures | None = None,
    signature_key_map: RenameMap | None = None,
    compat_mode: CompatMode = Compat.NONE,
) -> str:
    """Write a model as a SavedModel. Returns the path of its `saved_model.pb`.

    `tags` default to `serve`. Without `signature_def_map` the model keeps its own signature, as `serving_default`.
    `signature_key_map` renames inputs and outputs in all signatures. Raises as `load_graph_model`.
    """
    model = _asked(model_dir, tags, signature_def_map, signature_key_map)
    return _write([model], export_dir, compat_mode)


def graph_models_to_saved_model(
    model_list: Sequence[tuple[str, str | Sequence[str] | None]],
    export_dir: str,
    signatures: Mapping[str, Signatures] | None = None,
    signature_keys: Mapping[str, RenameMap] | None = None,
    compat_mode: CompatMode = Compat.NONE,
) -> str:
    """Write several models as one SavedModel, each found by its tags. Returns the path of its `saved_model.pb`.

    `model_list` has pairs of a model and its tags. `signatures` and `signature_keys` are for these models; entries for
    others are ignored. Raises as `load_graph_model`, and InputError if two models have the same tags.
    """
    signatures, keys = signatures or {}, signature_keys or {}
    models = [_asked(model, tags, signatures.get(model), keys.get(model)) for model, tags in model_list]
    return _write(models, export_dir, compat_mode)


def _write(models: Sequence[AskedModel], export_dir: str, compat: Compat) -> str:
    folder = os.path.expanduser(export_dir)
    with refusals(*(model.source for model in models)):
        calls.saved_model(models, Path(folder), compat=compat, cuda=is_cuda_enabled())
    return os.path.join(folder, savedmodel.FILE)


def _asked(
    model_dir: str, tags: str | Sequence[str] | None, signatures: Signatures | None, names: RenameMap | None
) -> AskedModel:
    asked = [_signature(key or "serving_default", said) for key, said in (signatures or {}).items()]
    renames = names.mapping if names is not None else {}
    return AskedModel(os.fspath(model_dir), _tags(tags), asked, renames, by_node=not asked)


def _tags(tags: str | Sequence[str] | None) -> list[str]:
    listed = ["serve"] if tags is None else [tags] if isinstance(tags, str) else tags
    return [tag.strip() for tag in listed if tag and tag.strip()]


def _signature(key: str, said: Mapping[str, Any]) -> AskedSignature:
    outputs = said.get(SIGNATURE_OUTPUTS)
    if not outputs:
        raise InputError("a signature needs outputs", where=f"signature {key!r}", expected=f"{SIGNATURE_OUTPUTS!r}")
    listed = [outputs] if isinstance(outputs, str) else list(outputs)
    return AskedSignature(key, listed, said.get(SIGNATURE_METHOD) or PREDICT)
