"""Functions under new names, and the nodes that call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from bundler.ir.model import Function, Graph
from bundler.ir.nodes import Node
from bundler.ir.protos import AttrValue, FunctionDef

__all__ = ["calling", "named", "with_calls", "with_functions", "with_name"]

Inner: TypeAlias = Callable[[str, AttrValue], AttrValue]


def named(function: Function, names: Mapping[str, str]) -> Function:
    """A function that has, and calls others by, the new names; `names` gives them by the old ones."""
    definition, graph = with_name(function.definition, names), with_calls(function.graph, names)
    return replace(function, definition=definition, graph=graph)


def with_name(definition: FunctionDef, names: Mapping[str, str]) -> FunctionDef:
    """A copy of a definition under its new name, if it has one."""
    made = FunctionDef()
    made.CopyFrom(definition)
    made.signature.name = names.get(definition.signature.name, definition.signature.name)
    return made


def with_calls(graph: Graph, names: Mapping[str, str]) -> Graph:
    """A graph whose nodes call functions by their new names."""
    return replace(graph, nodes=tuple(calling(node, names) for node in graph.nodes))


def calling(node: Node, names: Mapping[str, str]) -> Node:
    """A node that calls functions by their new names: as its op, or in its attributes."""
    attrs = {key: with_functions(value, names) for key, value in node.attr.items()}
    return node._replace(op=names.get(node.op, node.op), attr=attrs)


def with_functions(value: AttrValue, names: Mapping[str, str], inner: Inner | None = None) -> AttrValue:
    """An attribute that names functions by their new names; the same object if it names none.

    A function that is named may have attributes of its own. `inner` returns the new value for each key and value of
    these; by default they name functions by their new names, too.
    """
    if not (value.HasField("func") or value.list.func):
        return value
    made = AttrValue()
    made.CopyFrom(value)
    for function in [made.func] if made.HasField("func") else made.list.func:
        function.name = names.get(function.name, function.name)
        for key in function.attr:
            old = function.attr[key]
            old.CopyFrom(inner(key, old) if inner else with_functions(old, names))
    return made
