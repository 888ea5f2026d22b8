from __future__ import annotations

import time

import pytest

from bundler.errors import ConversionError
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, new_node
from bundler.tfjs.edges import check_edges

X = new_node("Placeholder", "x")


def error_of(*nodes: Node) -> str:
    with pytest.raises(ConversionError) as caught:
        check_edges(Graph(nodes), {"argument"})
    return str(caught.value)


def test_a_graph_may_be_in_any_order() -> None:
    check_edges(Graph((new_node("Add", "y", ["x", "argument"]), new_node("NoOp", "n", ["^y"]), X)), {"argument"})


def test_an_op_that_is_not_known_may_have_any_number_of_outputs() -> None:
    check_edges(Graph((new_node("MyOp", "m"), new_node("Relu", "y", ["m:7"]))))


def test_version_1_loops_go_round() -> None:
    loop = (
        new_node("Enter", "enter", ["x"]),
        new_node("Merge", "merge", ["enter", "next"], N=2),
        new_node("LoopCond", "cond", ["merge"]),
        new_node("Switch", "switch", ["merge", "cond"]),
        new_node("NextIteration", "next", ["switch:1"]),
        new_node("Exit", "exit", ["switch"]),
    )
    check_edges(Graph((X, *loop)))


@pytest.mark.parametrize(
    ("nodes", "fault"),
    [
        ((X, X), "2 nodes have the name 'x'"),
        ((new_node("Relu", "y", ["x"]),), "node 'y': reads a tensor that no node has (found x)"),
        ((X, new_node("Relu", "y", ["x", "^z"])), "node 'y': reads a tensor that no node has (found ^z)"),
        ((X, new_node("Relu", "y", ["x:1"])), "node 'y': reads a tensor that no node has (found x:1)"),
        (
            (X, new_node("Placeholder", "x:1"), new_node("Relu", "y", ["x:1"])),
            "node 'y': reads a tensor that no node has (found x:1)",
        ),
        ((new_node("NoOp", "n"), new_node("Relu", "y", ["n"])), "node 'y': reads a tensor that no node has (found n)"),
        ((new_node("Relu", "y", ["y"]),), "nodes depend on each other outside of a loop (found y)"),
        (
            (
                X,
                new_node("Identity", "a", ["b"]),
                new_node("Identity", "b", ["c:0"]),
                new_node("Identity", "c", ["x", "^a"]),
            ),
            "nodes depend on each other outside of a loop (found a, b, c)",
        ),
    ],
    ids=["names", "input", "control", "port", "named as a port", "no output", "itself", "cycle"],
)
def test_a_graph_that_does_not_hold_together_is_an_error(nodes: tuple[Node, ...], fault: str) -> None:
    assert error_of(*nodes) == fault


@pytest.mark.long
def test_long_chains_are_no_matter() -> None:
    chain = [new_node("Relu", f"n{index}", [f"n{index - 1}" if index else "x"]) for index in range(20_000)]
    started = time.process_time()
    check_edges(Graph((*reversed(chain), X)))
    assert time.process_time() - started < 5
