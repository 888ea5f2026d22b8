"""Version 1 loops: every node reads from one frame. What is right is held against the conformance cases elsewhere."""

from __future__ import annotations

import pytest

from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, new_node
from bundler.soundness import loops


def enter(name: str, reads: str, frame: str = "loop") -> Node:
    return new_node("Enter", name, [reads], frame_name=frame)


LOOP = (
    new_node("Placeholder", "x"),
    enter("in", "x"),
    new_node("Merge", "merge", ["in", "next"]),
    new_node("Switch", "switch", ["merge", "go"]),
    new_node("LoopCond", "go", ["merge"]),
    new_node("NextIteration", "next", ["switch:1"]),
    new_node("Exit", "out", ["switch"]),
)


def faults(*nodes: Node) -> list[str]:
    return [str(fault) for fault in loops.faults(Model(Graph(nodes)))]


@pytest.mark.parametrize(
    "more",
    [
        (),
        (new_node("Relu", "y", ["out"]), new_node("AddV2", "z", ["y", "x"])),
        (enter("again", "out"), new_node("Exit", "over", ["again"])),
        (
            enter("inner", "merge", "inner"),
            new_node("Exit", "back", ["inner"]),
            new_node("AddV2", "y", ["back", "merge"]),
        ),
        (new_node("NoOp", "wait", ["^out", "^x"]),),
    ],
    ids=["a loop", "after it", "twice", "in it", "control"],
)
def test_a_graph_whose_nodes_read_from_one_frame_is_fine(more: tuple[Node, ...]) -> None:
    assert faults(*LOOP, *more) == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (
            new_node("AddV2", "y", ["x", "merge"]),
            "node 'y': reads from different frames of loops (found x in no frame, merge in frame 'loop')",
        ),
        (
            new_node("Relu", "y", ["merge", "^x"]),
            "node 'y': reads from different frames of loops (found ^x in no frame, merge in frame 'loop')",
        ),
        (new_node("Exit", "y", ["x"]), "node 'y': Exit outside of a loop"),
        (new_node("NextIteration", "y", ["out"]), "node 'y': NextIteration outside of a loop"),
        (enter("y", "merge"), "node 'y': enters a frame that lies in another (found 'loop')"),
        (new_node("Merge", "y", ["x", "next"]), "node 'y': reads from another frame (found next)"),
    ],
    ids=lambda value: value.op if isinstance(value, Node) else "",
)
def test_a_node_that_reads_from_two_frames_is_an_error(wrong: Node, fault: str) -> None:
    assert faults(*LOOP, wrong) == [fault]


def test_a_thousand_frames_in_each_other_are_no_burden() -> None:
    into = [enter(f"in{at}", f"in{at - 1}" if at else "x", f"f{at}") for at in range(1000)]
    out = [new_node("Exit", f"out{at}", [f"out{at - 1}" if at else "in999"]) for at in range(1000)]
    assert faults(LOOP[0], *into, *out) == []
