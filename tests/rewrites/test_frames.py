"""Version 1 loops: which frame a node runs in, and what is brought into it."""

from __future__ import annotations

import re

import pytest

from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, attr, new_node, show
from bundler.ir.protos import FunctionDef, OpDef
from bundler.rewrites.invariants import check
from bundler.rewrites.rules.frames import enter_frames
from bundler.soundness import loops
from tests.support.forms import added, loop

FLOAT = DType.float32


def source(name: str) -> Node:
    return new_node("Placeholder", name, dtype=FLOAT)


def enter(name: str, read: str, frame: str) -> Node:
    return new_node("Enter", name, [read], T=FLOAT, frame_name=frame)


def entered(*nodes: Node, output: str = "y") -> list[str]:
    """The nodes that are new or read something else."""
    model = Model(Graph(nodes), {"": Signature({}, {"y": TensorSpec(Tensor.parse(output), FLOAT)})})
    made = enter_frames(model)
    check(made, after="enter_frames")
    assert [*loops.faults(made)] == []
    return [show(new, "frame_name", "is_constant") for new in made.graph.nodes if new not in nodes]


def test_a_value_enters_a_loop_once_however_many_read_it() -> None:
    turn = [
        new_node("Neg", "n", ["c"], T=FLOAT),
        new_node("AddV2", "s", ["loop/now", "n"], T=FLOAT),
        added("n", to="s"),
    ]
    assert entered(source("x"), source("c"), *loop(turn, limit="c")) == [
        "c/enter = Enter(c, frame_name=loop, is_constant=True)",
        "loop/less = Less(loop/merge, c/enter)",
        "n/enter = Enter(n, frame_name=loop, is_constant=True)",
        "s = AddV2(loop/now, n/enter)",
        "loop/new = AddV2(s, n/enter)",
    ]


def test_a_value_enters_one_loop_after_the_other_to_get_into_the_inner_one() -> None:
    inner = loop([added("c", "in")], "loop/now", "loop/limit", "in", "loop/inner")
    limit = new_node("Enter", "loop/limit", ["c"], T=FLOAT, frame_name="loop", is_constant=True)
    assert entered(
        source("x"), source("c"), limit, *loop([*inner, added("x", to="loop/inner")], limit="loop/limit")
    ) == [
        "loop/limit/enter = Enter(loop/limit, frame_name=in, is_constant=True)",
        "in/less = Less(in/merge, loop/limit/enter)",
        "c/enter = Enter(c, frame_name=loop, is_constant=True)",
        "c/enter/enter = Enter(c/enter, frame_name=in, is_constant=True)",
        "in/new = AddV2(in/now, c/enter/enter)",
        "x/enter = Enter(x, frame_name=loop, is_constant=True)",
        "loop/new = AddV2(loop/inner, x/enter)",
    ]


def test_an_enter_of_an_inner_loop_that_reads_from_outside_of_the_outer_one_gets_one_before_it() -> None:
    inner = loop([added("loop/far", "in", "", "^in/now")], "loop/now", "far", "in", "loop/inner")
    far = enter("far", "x", "in")
    outer = loop([*inner, added("loop/now", to="loop/inner")], limit="loop/far")
    assert entered(source("x"), enter("loop/far", "x", "loop"), far, *outer) == [
        "x/enter = Enter(x, frame_name=loop, is_constant=True)",
        "far = Enter(x/enter, frame_name=in)",
        "loop/far/enter = Enter(loop/far, frame_name=in, is_constant=True)",
        "in/new = AddV2(in/now, loop/far/enter, ^in/now)",
    ]


def test_waiting_for_a_node_outside_becomes_waiting_for_its_value_or_ends() -> None:
    turn = [added("loop/now", "loop", "", "^c", "^nothing")]
    assert entered(
        source("x"), source("c"), new_node("NoOp", "nothing"), enter("l", "x", "loop"), *loop(turn, limit="l")
    ) == [
        "c/enter = Enter(c, frame_name=loop, is_constant=True)",
        "loop/new = AddV2(loop/now, loop/now, ^c/enter)",
    ]


def test_a_new_enter_is_like_those_of_its_loop() -> None:
    made = enter_frames(Model(Graph((source("x"), source("c"), *loop([added("c")], limit="c"))))).graph
    assert attr(made.by_name["c/enter"], "parallel_iterations") == 7
    assert attr(made.by_name["c/enter"], "T") == FLOAT


def test_an_argument_of_a_function_enters_a_loop() -> None:
    signature = OpDef(name="f", input_arg=[OpDef.ArgDef(name="x", type=FLOAT), OpDef.ArgDef(name="c", type=FLOAT)])
    body = Function(FunctionDef(signature=signature), Graph(tuple(loop([added("c")], limit="c"))), {"r": Tensor("y")})
    made = enter_frames(Model(Graph(()), functions={"f": body})).functions["f"].graph
    assert show(made.by_name["c/enter"], "T") == "c/enter = Enter(c, T=float32)"
    assert [*loops.faults(Model(made))] == []


def test_a_model_whose_loops_are_in_order_stays_as_it_is() -> None:
    graph = Graph((source("x"), enter("limit", "x", "loop"), *loop([added("loop/now")])))
    model = Model(graph, {"": Signature({}, {"y": TensorSpec(Tensor("y"), FLOAT)})})
    assert enter_frames(model) is model


WITHIN = [enter("a", "x", "one"), enter("b", "a", "two"), enter("c", "b", "one")]
DEEP = [enter(f"e{at}", f"e{at - 1}" if at else "x", f"loop{at}") for at in range(20)]
DEEP += [new_node("AddV2", "y", ["e19", "x"], T=FLOAT)]
APART = [enter("a", "x", "one"), enter("b", "x", "two"), new_node("AddV2", "y", ["a", "b"], T=FLOAT)]
RESET = [each._replace(input=("x",)) if each.op == "NextIteration" else each for each in loop([], limit="x")]


@pytest.mark.parametrize(
    ("nodes", "output", "error"),
    [
        (APART, "x", "node 'y': reads from loops that do not lie within each other (found loop 'one', loop 'two')"),
        (DEEP, "x", "loops are nested too deeply (expected at most 16)"),
        (WITHIN, "x", "loops lie within each other (found 'one', 'two')"),
        (APART[:1], "a", "node 'a': an output is inside a loop"),
        (
            RESET,
            "y",
            "node 'loop/next': NextIteration reads a value from outside of its loop (found x)",
        ),
        (
            [new_node("Mystery", "m", ["x"]), *loop([added("m")], limit="x")],
            "y",
            "a loop reads a tensor of unknown dtype (found m)",
        ),
    ],
)
def test_a_graph_that_no_executor_takes_is_refused(nodes: list[Node], output: str, error: str) -> None:
    with pytest.raises(ConversionError, match=re.escape(error)):
        entered(source("x"), *nodes, output=output)
