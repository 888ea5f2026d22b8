"""Models from before TensorFlow.js 1.0: a GraphDef as a protobuf message, and a `weights_manifest.json` beside it.

The manifest is the list that `weightsManifest` of a model.json is, and the graph becomes JSON (`early_graph`). So one
reader checks early models and later ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bundler.artifacts import document as documents
from bundler.artifacts import foreign
from bundler.disk import files
from bundler.errors import SourceError

__all__ = ["MANIFEST", "graph_file", "read"]

MANIFEST = "weights_manifest.json"
_GRAPHS = ("tensorflowjs_model.pb", "web_model.pb", "model.pb")


def graph_file(names: Sequence[str]) -> str | None:
    """The graph among the files of a folder, by their names; None if there is none, or it is ambiguous."""
    graphs = [name for name in names if name.lower().endswith(".pb")]
    known = [name for name in _GRAPHS if name in graphs]
    if known:
        return known[0]
    return graphs[0] if MANIFEST in names and len(graphs) == 1 else None


def read(path: Path) -> Mapping[str, Any]:
    """The model as the document of a model.json. SourceError if the graph or the manifest beside it cannot be read."""
    manifest = path.with_name(MANIFEST)
    if not files.mode(manifest):
        raise _without_manifest(path)
    from bundler.artifacts import early_graph  # loads protobuf, which only early models need here

    return {"modelTopology": early_graph.read(path), "weightsManifest": documents.value(manifest)}


def _without_manifest(path: Path) -> SourceError:
    if path.name in _GRAPHS:
        hint = f"it is a graph of TensorFlow.js 0.x: put its {MANIFEST} and shards beside it"
        return SourceError(f"there is no {MANIFEST} beside the graph", where=str(path), hint=hint)
    found = foreign.of_graph(path.name)
    return SourceError(found.what, where=str(path), hint=found.hint)
