"""Notes on parts of a model.json that are left out of the graph. TensorFlow.js ignores them, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from bundler import ops
from bundler.ir.model import Graph
from bundler.ir.nodes import Tensor
from bundler.tfjs import fields
from bundler.tfjs.fields import Json
from bundler.tfjs.signatures import declared_signature

__all__ = ["notes"]

_MOST = 20


def notes(document: Json, graph: Graph) -> Iterator[str]:
    """Notes on what the graph of a document leaves out."""
    foreign = sorted(_foreign_attributes(fields.table(document, "modelTopology")))
    if foreign:
        yield f"attributes that TensorFlow's ops do not have are left out: {', '.join(_first(foreign))}"
    overflowed = sorted(name for name, weight in graph.weights.items() if weight.overflowed)
    if overflowed:
        names = ", ".join(_first(overflowed))
        yield f"weights hold infinities or NaN, which numbers above 65504 become in float16: {names}"
    yield from _first([*_lost_entries(document, graph)])


def _first(items: Sequence[str]) -> Sequence[str]:
    """The first items: a file may have a hundred thousand."""
    return items if len(items) <= _MOST else [*items[:_MOST], f"… and {len(items) - _MOST} more"]


def _lost_entries(document: Json, graph: Graph) -> Iterator[str]:
    for side in ("inputs", "outputs"):
        for key, entry in sorted(fields.table(declared_signature(document), side).items()):
            name = fields.text(entry, "name", "") or key
            if Tensor.parse(name).node not in graph.by_name:
                yield f"{side} of its signature: {key!r} is left out, as no node makes {name!r}"


def _foreign_attributes(topology: Json) -> set[str]:
    """As `op.attribute`. Attributes that begin with _ are private to the program that wrote them."""
    functions = fields.tables(fields.table(topology, "library"), "function")
    bodies = [fields.tables(function, "nodeDef") for function in functions]
    nodes = chain(fields.tables(topology, "node"), *bodies)
    said = {(node.get("op", ""), key) for node in nodes for key in node.get("attr") or ()}
    known = ops.table()
    return {
        f"{op}.{key}"
        for op, key in said
        if op in known and key not in known[op].attrs and key not in known[op].aliases and not key.startswith("_")
    }
