"""The MetaGraphs of a SavedModel: as a whole, and as its callers see them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bundler.encoding.message import numbers
from bundler.encoding.wire import Field
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Tensor
from bundler.ir.protos import MetaGraphDef, SavedModel
from bundler.outputs.savedmodel import FILE, initial_nodes, read_signatures
from bundler.stored.graphs import read_graph
from bundler.stored.skimmed import Skimmed, skimmed

__all__ = ["StoredGraph", "read_graphs", "read_interfaces"]

(_META_GRAPH,) = numbers(SavedModel, "meta_graphs")
(_GRAPH_DEF,) = numbers(MetaGraphDef, "graph_def")
_INFO, _SIGNATURE, _COLLECTION = numbers(MetaGraphDef, "meta_info_def", "signature_def", "collection_def")


@dataclass(frozen=True)
class StoredGraph:
    """A MetaGraph of a SavedModel: its tags, sorted, and its graph with the signatures."""

    tags: tuple[str, ...]
    model: Model


def read_graphs(folder: Path) -> tuple[StoredGraph, ...]:
    """The MetaGraphs of the SavedModel in a folder. Raises SourceError if there is none, or it is damaged."""
    with skimmed(folder / FILE, "a SavedModel") as file:
        return tuple(_stored(file, each) for each in _metagraphs(file))


def read_interfaces(folder: Path) -> tuple[MetaGraphDef, ...]:
    """The MetaGraphs of the SavedModel in a folder, with their tags and signatures alone: graphs are not read.

    Raises SourceError if there is none, or it is damaged.
    """
    with skimmed(folder / FILE, "a SavedModel") as file:
        return tuple(_described(file, each, (_INFO, _SIGNATURE)) for each in _metagraphs(file))


def _metagraphs(file: Skimmed) -> list[Field]:
    found = []
    for each in file.fields(file.whole):
        if each.number == _META_GRAPH:
            file.count("MetaGraphs")
            found.append(each)
    if not found:
        raise ValueError("no MetaGraph")
    return found


def _stored(file: Skimmed, message: Field) -> StoredGraph:
    graphs = [read_graph(file, each) for each in file.fields(message) if each.number == _GRAPH_DEF]
    model = graphs[-1] if graphs else Model(Graph(()))
    described = _described(file, message, (_INFO, _SIGNATURE, _COLLECTION))
    initializers = tuple(_waited_for(initial_nodes(described), model.graph))
    model = replace(model, signatures=read_signatures(described), initializers=initializers)
    return StoredGraph(tuple(sorted(described.meta_info_def.tags)), model)


def _described(file: Skimmed, message: Field, wanted: Collection[int]) -> MetaGraphDef:
    """A MetaGraph with these fields alone."""
    for each in file.fields(message):
        if each.number == _SIGNATURE:
            file.count("signatures")
    return MetaGraphDef.FromString(file.part(message, wanted))


def _waited_for(names: list[str], graph: Graph) -> Iterator[str]:
    """The nodes that initial nodes wait for: a NoOp has no work of its own."""
    for name in dict.fromkeys(names):
        node = graph.by_name.get(name)
        if node is None or node.op != "NoOp":
            yield name
        else:
            yield from (Tensor.parse(reference).node for reference in node.input)
