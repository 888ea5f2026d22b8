"""Hash tables as objects: what makes each, and what fills it.

A table of version 1 is no value that functions can take. They find it by its name, and its object makes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, Tensor, constant
from bundler.ir.prune import reachable
from bundler.ir.tables import TABLES, shared_name
from bundler.outputs.objects.functions import Result

__all__ = ["Table", "tables", "with_tables"]


class Table(NamedTuple):
    """A table by the first node that makes it. `made` is its handle, `filled` a number that is there when it is full.

    `nodes` are those of `filled`, and of `made` if there is no handle. The graph does not have them.
    """

    node: str
    made: Result
    filled: Result
    nodes: tuple[Node, ...]


def tables(model: Model) -> list[Table]:
    """The tables of the main graph, in its order."""
    first: dict[str, Node] = {}
    for node in model.graph.nodes:
        if node.op in TABLES:
            first.setdefault(shared_name(node), node)
    fills = _fills(model) if first else {}
    names = FreshNames(model.graph.by_name)
    return [_table(node, fills.get(name, ()), names) for name, node in first.items()]


def with_tables(graph: Graph, tables: Collection[Table]) -> Graph:
    """The graph with the nodes of its tables; the same graph if there is none."""
    made = [node for table in tables for node in table.nodes]
    return replace(graph, nodes=(*graph.nodes, *made)) if made else graph


def _table(node: Node, fills: Collection[str], names: FreshNames) -> Table:
    filled = constant(names(f"{node.name}/filled"), np.array(1, np.int32), control=fills)
    if node.op == "HashTableV2":
        return Table(node.name, Result(Tensor(node.name), DType.resource, ()), _number(filled), (filled,))
    made = constant(names(f"{node.name}/made"), np.array(1, np.int32))
    return Table(node.name, _number(made), _number(filled), (made, filled))


def _number(node: Node) -> Result:
    return Result(Tensor(node.name), DType.int32, ())


def _fills(model: Model) -> dict[str, list[str]]:
    """The initializers that fill each table, by the table's shared name."""
    found: dict[str, list[str]] = {}
    for name in model.initializers:
        behind = (model.graph.by_name[each] for each in reachable(model.graph, [name]))
        for table in {shared_name(node) for node in behind if node.op in TABLES}:
            found.setdefault(table, []).append(name)
    return found
