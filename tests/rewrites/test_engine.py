"""From a rule to a pass: which nodes it replaces, what the model notes, and what must hold afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from bundler import rewrites
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, constant, new_node
from bundler.ir.protos import FunctionDef, OpDef
from bundler.ir.weight import Weight
from bundler.manifest import Compat
from bundler.rewrites.engine import Declined, Each, rule
from bundler.rewrites.invariants import check

FLOAT = DType.float32
X = new_node("Placeholder", "x", dtype=FLOAT)


def op(op: str, name: str, *inputs: str) -> Node:
    return new_node(op, name, inputs, T=FLOAT)


def model(*nodes: Node, **functions: Function) -> Model:
    """A model from `x` to `y`."""
    x, y = TensorSpec(Tensor("x"), FLOAT), TensorSpec(Tensor("y"), FLOAT)
    return Model(Graph((X, *nodes)), {"serve": Signature({"x": x}, {"y": y})}, functions)


def function(*nodes: Node, returns: str) -> Function:
    """A function from `a` to `r`."""
    argument, result = (OpDef.ArgDef(name=name, type=FLOAT.value) for name in "ar")
    signature = OpDef(name="f", input_arg=[argument], output_arg=[result])
    return Function(FunctionDef(signature=signature), Graph(nodes), {"r": Tensor(returns)})


@rule("Neg", "Relu", note="made softer")
def soften(node: Node, _graph: Graph) -> Sequence[Node] | Declined | None:
    """An example: leaves negations of `x`, and declines nodes that are called `hard`."""
    if node.name == "hard":
        return Declined("too hard")
    return None if node.input == ("x",) else [op("Abs", f"{node.name}/abs", *node.input), op("Elu", node.name)]


def test_a_pass_replaces_nodes_in_the_graph_and_in_functions_and_the_model_notes_how_many() -> None:
    before = model(
        op("Neg", "a", "x"),
        op("Relu", "hard", "a"),
        op("Relu", "y", "hard"),
        f=function(op("Neg", "n", "a"), returns="n"),
    )
    after = Each(soften)(before)
    assert [(node.op, node.name) for node in after.graph.nodes] == [
        ("Placeholder", "x"),
        ("Neg", "a"),
        ("Relu", "hard"),
        ("Abs", "y/abs"),
        ("Elu", "y"),
    ]
    assert [node.name for node in after.functions["f"].graph.nodes] == ["n/abs", "n"]
    assert after.notes == ("too hard: 1 Relu", "made softer: 1 Neg, 1 Relu")


def test_a_pass_without_anything_to_replace_gives_the_same_model() -> None:
    before = model(op("Neg", "y", "x"))
    assert Each(soften)(before) is before


@rule("Relu", beside=["Erf", "Exp"])
def sign(node: Node, _graph: Graph) -> Sequence[Node]:
    """An example: replaces each Relu of a graph with an Erf or an Exp."""
    return [op("Sign", node.name, *node.input)]


@pytest.mark.parametrize(("beside", "found"), [("Tanh", "Relu"), ("Erf", "Sign"), ("Exp", "Sign")])
def test_a_rule_is_asked_only_of_graphs_with_one_of_the_ops_that_it_names(beside: str, found: str) -> None:
    after = Each(sign)(model(op(beside, "e", "x"), op("Relu", "y", "e")))
    assert after.graph.by_name["y"].op == found


def test_new_nodes_do_not_take_names_that_the_graph_has() -> None:
    after = Each(soften)(model(op("Tanh", "y/abs", "x"), op("Relu", "y", "y/abs")))
    assert [node.name for node in after.graph.nodes] == ["x", "y/abs", "y/abs_", "y"]


def test_an_error_of_a_rule_names_the_node() -> None:
    @rule("Relu")
    def refuse(_node: Node, _graph: Graph) -> None:
        raise ConversionError("no")

    with pytest.raises(ConversionError, match="^node 'y': no$"):
        Each(refuse)(model(op("Relu", "y", "x")))


def doubled(model: Model) -> Model:
    return Model(Graph((*model.graph.nodes, X)), model.signatures)


def unread(model: Model) -> Model:
    return Model(Graph(model.graph.nodes[1:]), model.signatures)


def unasked(model: Model) -> Model:
    return Model(Graph(model.graph.nodes[:1]), model.signatures)


def lost_weight(model: Model) -> Model:
    weight = object.__new__(Weight)
    return Model(Graph(model.graph.nodes, {"w": weight}), model.signatures)


def lost_result(model: Model) -> Model:
    return Model(model.graph, model.signatures, {"f": function(op("Neg", "n", "a"), returns="m")})


def lost_argument(model: Model) -> Model:
    return Model(model.graph, model.signatures, {"f": function(op("Neg", "n", "b"), returns="n")})


def lost_initializer(model: Model) -> Model:
    return Model(model.graph, model.signatures, initializers=("init",))


BREACHES: dict[Callable[[Model], Model], str] = {
    doubled: "two nodes have one name",
    unread: "a node needs 'x', which no node makes",
    unasked: "the model needs 'y', which no node makes",
    lost_weight: "no node has the weight 'w'",
    lost_result: "function 'f' needs 'm', which no node makes",
    lost_argument: "a node needs 'b', which no node makes",
    lost_initializer: "the model needs 'init', which no node makes",
}


@pytest.mark.parametrize(("broken", "breach"), BREACHES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_breach_names_the_pass_that_made_it(
    broken: Callable[[Model], Model], breach: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = {Compat.NONE: (Each(soften), broken, Each(soften))}
    monkeypatch.setattr(rewrites, "PASSES", passes)
    before = model(op("Abs", "a", "x"), op("Relu", "y", "a"))
    with pytest.raises(AssertionError, match=f"^{broken.__name__}: {breach}$"):
        rewrites.run(before, Compat.NONE)


def test_a_sound_model_passes() -> None:
    check(model(op("Relu", "y", "x"), f=function(op("Neg", "n", "a"), returns="a")), after="nothing")


def test_why_a_rule_declined_is_a_note_of_the_model() -> None:
    conv = new_node("DepthwiseConv2dNative", "y", ["x", "x"], T=FLOAT, strides=[1, 2, 2, 1], dilations=[1, 2, 2, 1])
    assert rewrites.run(model(conv.having(padding="SAME")), Compat.NONE).notes == (
        "strides [2, 2] run with oneDNN (x86) only, because the filter is no constant: 1 DepthwiseConv2dNative",
        "dilations [2, 2] run with oneDNN (x86) only, because the filter is no constant: 1 DepthwiseConv2dNative",
    )


def test_weights_that_are_constants_need_no_weight_of_the_graph() -> None:
    check(model(constant("w", np.ones(2, np.float32)), op("AddV2", "y", "x", "w")), after="nothing")
