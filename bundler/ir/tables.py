"""Hash tables: which nodes make them, which fill them, and their names.

A table outlives a run of the graph. TensorFlow finds it again by the attribute `shared_name`: nodes with the same one
share a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, attr

__all__ = ["FILLS", "TABLES", "shared_name", "shared_names", "with_own_names"]

TABLES = frozenset({"HashTable", "HashTableV2"})
FILLS = frozenset({"InitializeTable", "InitializeTableV2", "LookupTableImport", "LookupTableImportV2"})


def shared_names(nodes: Iterable[Node]) -> Iterator[str]:
    """The names of the tables that these nodes make."""
    return (shared_name(node) for node in nodes if node.op in TABLES)


def with_own_names(model: Model) -> Model:
    """The model with tables named after their nodes, instead of by a number that the original program drew.

    Nodes that shared a table still do, under the name of the first.
    """
    names: dict[str, str] = {}
    for table in (node for graph in model.graphs for node in graph.of(TABLES)):
        names.setdefault(shared_name(table), table.name)
    return model.with_graphs(lambda graph: _with_names(graph, names)) if names else model


def _with_names(graph: Graph, names: Mapping[str, str]) -> Graph:
    return replace(graph, nodes=tuple(_with_name(node, names) if node.op in TABLES else node for node in graph.nodes))


def _with_name(table: Node, names: Mapping[str, str]) -> Node:
    return table.having(shared_name=names[shared_name(table)])


def shared_name(table: Node) -> str:
    """The attribute, or if it is empty the node's name, as in TensorFlow (`ContainerInfo::Init`)."""
    return str(attr(table, "shared_name", "") or table.name)
