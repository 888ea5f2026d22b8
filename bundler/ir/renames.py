"""Functions under new names, wherever nodes call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bundler.ir.model import Function, Graph
from bundler.ir.nodes import Node
from bundler.ir.protos import AttrValue, FunctionDef

__all__ = ["calling", "named", "with_calls"]


def named(function: Function, names: Mapping[str, str]) -> Function:
    """A function, itself and those that it calls under their new names; `names` are by the old one."""
    definition = FunctionDef()
    definition.CopyFrom(function.definition)
    definition.signature.name = names.get(definition.signature.name, definition.signature.name)
    return replace(function, definition=definition, graph=with_calls(function.graph, names))


def with_calls(graph: Graph, names: Mapping[str, str]) -> Graph:
    """A graph whose nodes call functions by their new names."""
    return replace(graph, nodes=tuple(calling(node, names) for node in graph.nodes))


def calling(node: Node, names: Mapping[str, str]) -> Node:
    """A node that calls functions by their new names: as its op, or in its attributes."""
    attrs = {key: _attr(value, names) for key, value in node.attr.items()}
    return node._replace(op=names.get(node.op, node.op), attr=attrs)


def _attr(value: AttrValue, names: Mapping[str, str]) -> AttrValue:
    if not (value.HasField("func") or value.list.func):
        return value
    made = AttrValue()
    made.CopyFrom(value)
    for function in [made.func] if made.HasField("func") else made.list.func:
        function.name = names.get(function.name, function.name)
        for key in function.attr:
            function.attr[key].CopyFrom(_attr(function.attr[key], names))
    return made
