"""Functions without the attributes that TensorFlow adds by itself, as TensorFlow's own SavedModels have them.

    Before:
        y = Conv2D(x, w, strides=[1, 1, 1, 1], padding=SAME, data_format=NHWC, dilations=[1, 1, 1, 1])
    After:
        y = Conv2D(x, w, strides=[1, 1, 1, 1], padding=SAME)

A loader holds several copies of each function, and attributes are most of a node.

Source: tensorflow/core/framework/function.cc, `AddDefaultAttrs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bundler import ops
from bundler.ir.model import Function
from bundler.ir.nodes import Node, attr
from bundler.ir.protos import AttrValue

__all__ = ["Explicit"]


class Explicit:
    """Leaves implied attributes out. Nodes share sets of attributes: each set is looked at once for each op."""

    def __init__(self) -> None:
        self._implied = {name: op.implied for name, op in ops.table().items() if op.implied}
        self._known: dict[tuple[str, int], Mapping[str, AttrValue]] = {}

    def function(self, function: Function) -> Function:
        """The function with what its nodes do not imply."""
        nodes = tuple(self._node(node) if node.op in self._implied else node for node in function.graph.nodes)
        return replace(function, graph=replace(function.graph, nodes=nodes))

    def _node(self, node: Node) -> Node:
        key = node.op, id(node.attr)
        if key not in self._known:
            self._known[key] = _without(node, self._implied[node.op])
        return Node(node.op, node.name, node.input, self._known[key])


def _without(node: Node, implied: Mapping[str, Any]) -> Mapping[str, AttrValue]:
    left_out = {key for key, value in implied.items() if key in node.attr and attr(node, key) == value}
    return {key: value for key, value in node.attr.items() if key not in left_out}
