"""Hash tables: which nodes make them, which fill them, and by what name TensorFlow tells them apart.

A table outlives a run of the graph. TensorFlow finds it again by the attribute `shared_name`: nodes where
it is the same share one table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, attr

__all__ = ["FILLS", "TABLES", "shared_names", "with_own_names"]

TABLES = frozenset({"HashTable", "HashTableV2"})
FILLS = frozenset({"InitializeTable", "InitializeTableV2", "LookupTableImport", "LookupTableImportV2"})


def shared_names(nodes: Iterable[Node]) -> Iterator[str]:
    """The names of the tables that are made among these nodes."""
    return (_shared_name(made) for made in nodes if made.op in TABLES)


def with_own_names(model: Model) -> Model:
    """The model with every table under its node's name, instead of a number that the original program drew.

    Tables that had one name have one name again: that of the first node.
    """
    names: dict[str, str] = {}
    for table in (made for graph in model.graphs for made in graph.nodes if made.op in TABLES):
        names.setdefault(_shared_name(table), table.name)
    return model.with_graphs(lambda graph: _with_names(graph, names)) if names else model


def _with_names(graph: Graph, names: Mapping[str, str]) -> Graph:
    return replace(graph, nodes=tuple(_with_name(made, names) if made.op in TABLES else made for made in graph.nodes))


def _with_name(table: Node, names: Mapping[str, str]) -> Node:
    return table.having(shared_name=names[_shared_name(table)])


def _shared_name(table: Node) -> str:
    """Where the attribute is empty, TensorFlow takes the node's name."""
    return str(attr(table, "shared_name", "") or table.name)
