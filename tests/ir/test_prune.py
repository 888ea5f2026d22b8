"""What outputs need, whatever the order of the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, new_node
from bundler.ir.prune import reachable

NODES = (
    new_node("Placeholder", "x"),
    new_node("Split", "parts", ["x"]),
    new_node("NoOp", "wait", ["^parts"]),
    new_node("Relu", "y", ["parts:1", "^wait"]),
    new_node("Relu", "other", ["argument"]),
)


@pytest.mark.parametrize("nodes", [*permutations(NODES)], ids=lambda nodes: " ".join(node.name for node in nodes))
def test_nodes_may_stand_in_any_order(nodes: Sequence[Node]) -> None:
    graph = Graph(tuple(nodes))
    assert reachable(graph, ["y"]) == {"x", "parts", "wait", "y"}
    assert reachable(graph, ["other", "missing"]) == {"other"}
