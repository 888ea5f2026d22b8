"""A scope for each model: its name goes before every name that could meet another model's.

These are the names of nodes and functions, and those of loop frames, tables, variables and tensor arrays, by which
TensorFlow finds things at run time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor
from bundler.ir.protos import AttrValue
from bundler.ir.renames import with_functions, with_name
from bundler.ir.tables import TABLES

__all__ = ["again", "scoped"]

_NAME_ATTRS = ("frame_name", "shared_name", "tensor_array_name")
"""String attributes that name what TensorFlow finds at run time, whatever graph it came from."""

_OF_A_RUN = ("frame_name", "tensor_array_name")
"""Those of them that name what a run makes and forgets."""


def scoped(model: Model, scope: str) -> Model:
    """The same model with `scope/` before every name that could meet another model's."""
    prefix = f"{scope}/"
    names = _Scope(prefix, {name: prefix + name for name in model.functions})
    return replace(
        model,
        graph=names.graph(model.graph, prefix),
        functions={prefix + name: names.function(function) for name, function in model.functions.items()},
        initializers=tuple(prefix + name for name in model.initializers),
    ).map_signatures(lambda spec: replace(spec, tensor=_scoped_tensor(spec.tensor, prefix)))


def again(graph: Graph, scope: str) -> Graph:
    """The same graph once more, with `scope/` before the names of its nodes and loops.

    It shares tables and functions with the first: they keep their names. Python's loader finds a table by its node.
    """
    tables = [node.name for node in graph.nodes if node.op in TABLES]
    kept = {spelled: spelled for name in tables for spelled in (name, f"^{name}")}
    return _Scope(f"{scope}/", {}, _OF_A_RUN).graph(graph, f"{scope}/", kept)


class _Scope:
    """`prefix` before the names of nodes and of what TensorFlow finds at run time; functions under new names."""

    def __init__(self, prefix: str, functions: Mapping[str, str], named: Sequence[str] = _NAME_ATTRS) -> None:
        self._prefix = prefix
        self._named = named
        self._functions = functions
        self._attrs: dict[int, Mapping[str, AttrValue]] = {}  # by identity: nodes share them

    def graph(self, graph: Graph, prefix: str, kept: Mapping[str, str] = {}) -> Graph:
        """A graph; `prefix` goes before the names of its nodes, but for the references in `kept`."""
        # One string for a name wherever it is read: between processes it travels once.
        names = {**{node.name: prefix + node.name for node in graph.nodes}, **kept}
        return Graph(
            nodes=tuple([self._node(node, names, prefix) for node in graph.nodes]),
            weights={names[name]: weight for name, weight in graph.weights.items()},
        )

    def function(self, function: Function) -> Function:
        """A function under its new name. The nodes of its body are in a name space of their own already."""
        return replace(
            function,
            definition=with_name(function.definition, self._functions),
            graph=self.graph(function.graph, ""),
        )

    def _node(self, node: Node, names: Mapping[str, str], prefix: str) -> Node:
        op, name, inputs, attrs = node
        scoped = self._attrs.get(id(attrs))
        if scoped is None:
            scoped = self._attrs[id(attrs)] = self._scoped_attrs(attrs)
        inputs = tuple([names.get(reference) or _scoped_reference(reference, prefix) for reference in inputs])
        return Node(self._functions.get(op, op), names[name], inputs, scoped)

    def _scoped_attrs(self, attrs: Mapping[str, AttrValue]) -> Mapping[str, AttrValue]:
        """The attributes with names in the scope; the same object if they hold none."""
        changed = {key: new for key, value in attrs.items() if (new := self._scoped_attr(key, value)) is not value}
        return {**attrs, **changed} if changed else attrs

    def _scoped_attr(self, key: str, value: AttrValue) -> AttrValue:
        if key in self._named and value.s:
            return AttrValue(s=self._prefix.encode() + value.s)
        return with_functions(value, self._functions, self._scoped_attr) if self._functions else value


def _scoped_reference(reference: str, prefix: str) -> str:
    return f"^{prefix}{reference[1:]}" if reference.startswith("^") else prefix + reference


def _scoped_tensor(tensor: Tensor, prefix: str) -> Tensor:
    return tensor._replace(node=prefix + tensor.node)
