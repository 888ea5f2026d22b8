"""Models whose functions Python's loader could not import: a bundle that holds one has no object graph."""

from __future__ import annotations

from bundler import ops
from bundler.ir.model import Model
from bundler.ir.protos import AttrValue
from bundler.ir.prune import function_names
from bundler.ir.tables import TABLES

__all__ = ["obstacle"]


def obstacle(model: Model) -> str:
    """Why a model's signatures cannot be functions; "" if they can."""
    unnamed = sorted(op for op in model.graph.ops if not ops.has_named_ports(op))
    if unnamed:
        return f"the names of the outputs of {unnamed[0]!r} are not known"
    if not model.functions:
        return ""
    if any(not TABLES.isdisjoint(function.graph.ops) for function in model.functions.values()):
        return "a function makes a hash table"
    values = (value for graph in model.graphs for node in graph.nodes for value in node.attr.values())
    return "a function is an attribute of another" if any(map(_is_nested, values)) else ""


def _is_nested(value: AttrValue) -> bool:
    """Whether an attribute names functions that have functions as attributes."""
    named = [value.func] if value.HasField("func") else value.list.func
    return any(name for function in named for inner in function.attr.values() for name in function_names(inner))
