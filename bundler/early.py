"""Models from before TensorFlow.js 1.0: a GraphDef as a protobuf message, and a `weights_manifest.json` beside it.

The manifest is the list that `weightsManifest` of a model.json is. The graph becomes the JSON that later converters
write, by the same means (`write_artifacts` in tfjs-converter/python/tensorflowjs/converters); one reader checks both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError, Message

from bundler import document as documents
from bundler import files, foreign
from bundler.errors import SourceError
from bundler.protos import GraphDef

__all__ = ["MANIFEST", "graph_file", "read"]

MANIFEST = "weights_manifest.json"
_GRAPHS = ("tensorflowjs_model.pb", "web_model.pb", "model.pb")
_MAX_BYTES = 32 << 20
"""Bytes of a graph, whose weights are elsewhere: one of 100,000 nodes has 10 MB."""
_MAX_PARTS = 2 << 20
"""Messages and items of lists, each of which takes a byte or two in the file, and a hundred as objects."""


def graph_file(names: Sequence[str]) -> str | None:
    """The graph among the files of a folder, by their names; None if there is none, or it is not clear which."""
    graphs = [name for name in names if name.lower().endswith(".pb")]
    known = [name for name in _GRAPHS if name in graphs]
    if known:
        return known[0]
    return graphs[0] if MANIFEST in names and len(graphs) == 1 else None


def read(path: Path) -> Mapping[str, Any]:
    """The model as the document of a model.json. SourceError if the file, or the manifest beside it, is none."""
    manifest = path.with_name(MANIFEST)
    if not files.mode(manifest):
        raise _without_manifest(path)
    return {"modelTopology": _topology(path), "weightsManifest": documents.value(manifest)}


def _without_manifest(path: Path) -> SourceError:
    if path.name in _GRAPHS:
        hint = f"it is a graph of TensorFlow.js 0.x: put its {MANIFEST} and shards beside it"
        return SourceError(f"there is no {MANIFEST} beside the graph", where=str(path), hint=hint)
    found = foreign.of_graph(path.name)
    return SourceError(found.what, where=str(path), hint=found.hint)


def _topology(path: Path) -> dict[str, Any]:
    """The graph as protobuf's own JSON. SourceError if it is no GraphDef, or has too many parts."""
    from google.protobuf.json_format import MessageToDict

    content = documents.content(path, "a graph", _MAX_BYTES)
    try:
        graph = GraphDef.FromString(content)
    except DecodeError:
        found = foreign.of_file(path)
        if found is not None:
            raise SourceError(found.what, where=str(path), hint=found.hint) from None
        raise SourceError("is no graph", where=str(path), expected="a GraphDef of TensorFlow") from None
    if _count(graph, _MAX_PARTS) > _MAX_PARTS:
        raise SourceError("has too many parts for a graph", where=str(path), expected=f"at most {_MAX_PARTS:,}")
    topology: dict[str, Any] = MessageToDict(graph)
    return topology


def _count(message: Message, most: int) -> int:
    """The messages and items of lists in a message. Counting ends when they are more than `most`."""
    total = 1
    for _, value in message.ListFields():
        items = [value] if isinstance(value, Message) else _items(value)
        total += len(items)
        for item in items if total <= most else ():
            if isinstance(item, Message):
                total += _count(item, most - total)
    return total


def _items(value: Any) -> Sequence[object]:
    """What is in a list or a map; a single value has nothing in it."""
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else ()
