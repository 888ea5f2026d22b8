"""Version 1 loops: every node reads from one frame. What is right is held against the conformance cases elsewhere."""

from __future__ import annotations

import pytest

from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, node
from bundler.soundness import loops


def enter(name: str, reads: str, frame: str = "loop") -> Node:
    return node("Enter", name, [reads], frame_name=frame)


LOOP = (
    node("Placeholder", "x"),
    enter("in", "x"),
    node("Merge", "merge", ["in", "next"]),
    node("Switch", "switch", ["merge", "go"]),
    node("LoopCond", "go", ["merge"]),
    node("NextIteration", "next", ["switch:1"]),
    node("Exit", "out", ["switch"]),
)


def faults(*nodes: Node) -> list[str]:
    return [str(fault) for fault in loops.faults(Model(Graph(nodes)))]


@pytest.mark.parametrize(
    "more",
    [
        (),
        (node("Relu", "y", ["out"]), node("AddV2", "z", ["y", "x"])),
        (enter("again", "out"), node("Exit", "over", ["again"])),
        (enter("inner", "merge", "inner"), node("Exit", "back", ["inner"]), node("AddV2", "y", ["back", "merge"])),
        (node("NoOp", "wait", ["^out", "^x"]),),
    ],
    ids=["a loop", "after it", "twice", "in it", "control"],
)
def test_a_graph_whose_nodes_read_from_one_frame_is_fine(more: tuple[Node, ...]) -> None:
    assert faults(*LOOP, *more) == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (
            node("AddV2", "y", ["x", "merge"]),
            "node 'y': reads from different frames of loops (found x in no frame, merge in frame 'loop')",
        ),
        (
            node("Relu", "y", ["merge", "^x"]),
            "node 'y': reads from different frames of loops (found ^x in no frame, merge in frame 'loop')",
        ),
        (node("Exit", "y", ["x"]), "node 'y': Exit outside of a loop"),
        (node("NextIteration", "y", ["out"]), "node 'y': NextIteration outside of a loop"),
        (enter("y", "merge"), "node 'y': enters a frame that lies in another (found 'loop')"),
        (node("Merge", "y", ["x", "next"]), "node 'y': reads from another frame (found next)"),
    ],
    ids=lambda value: value.op if isinstance(value, Node) else "",
)
def test_a_node_that_reads_from_two_frames_is_told(wrong: Node, fault: str) -> None:
    assert faults(*LOOP, wrong) == [fault]


def test_a_thousand_frames_in_each_other_are_no_burden() -> None:
    into = [enter(f"in{at}", f"in{at - 1}" if at else "x", f"f{at}") for at in range(1000)]
    out = [node("Exit", f"out{at}", [f"out{at - 1}" if at else "in999"]) for at in range(1000)]
    assert faults(LOOP[0], *into, *out) == []
