"""The graph of a model from before TensorFlow.js 1.0: a protobuf message becomes the JSON of later models.

The converter writes that JSON by the same function, `MessageToDict`: see `write_artifacts` in
tfjs-converter/python/tensorflowjs/converters/tf_saved_model_conversion_v2.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message

from bundler.artifacts import document as documents
from bundler.artifacts import foreign
from bundler.errors import SourceError
from bundler.ir.protos import GraphDef

__all__ = ["read"]

_MAX_BYTES = 32 << 20
"""Bytes of a graph, without its weights: 100,000 nodes take 10 MB."""
_MAX_PARTS = 2 << 20
"""Messages and items of lists: each takes a byte or two in the file, and a hundred in memory."""


def read(path: Path) -> dict[str, Any]:
    """The graph as protobuf's own JSON. SourceError if it is no GraphDef, or has too many parts."""
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
    """The number of messages and of items of lists in a message; counting stops above `most`."""
    total = 1
    for _, value in message.ListFields():
        items = [value] if isinstance(value, Message) else _items(value)
        total += len(items)
        for item in items if total <= most else ():
            if isinstance(item, Message):
                total += _count(item, most - total)
    return total


def _items(value: Any) -> Sequence[object]:
    """The items of a list or the values of a map; [] for a single value."""
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else ()
