from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from bundler.disk.shards import Group, Memory
from bundler.errors import ManifestError
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, attr, new_node
from bundler.ir.protos import FunctionDef, NameAttrList, OpDef
from bundler.ir.weight import Affine, Weight
from bundler.link import link, scoped, share_weights
from bundler.rewrites.invariants import check

FLOAT, INT = DType.float32, DType.int32


def weight(*values: float, dtype: DType = FLOAT, at: int = 0) -> Weight:
    """A weight whose bytes lie at some offset."""
    content = np.array(values, dtype.numpy).tobytes()
    return Weight(dtype, (len(values),), Group((Memory(b"?" * at + content),)), at, len(content), dtype)


def const(name: str, *control: str) -> Node:
    return new_node("Const", name, control, dtype=FLOAT)


def outputs(**tensors: str) -> dict[str, TensorSpec]:
    return {key: TensorSpec(Tensor.parse(tensor), FLOAT, ()) for key, tensor in tensors.items()}


def model(key: str = "k", output: str = "y", *nodes: Node, **weights: Weight) -> Model:
    return Model(Graph(nodes, weights), {key: Signature({}, outputs(out=output))})


# Scopes


def test_every_name_of_the_graph_gets_the_scope() -> None:
    plain = model("k", "y:1", const("w"), new_node("Split", "y", ["w", "w:0", "^w"]), w=weight(1))
    found = scoped(replace(plain, initializers=("y",)), "m/v2")
    assert [one.name for one in found.graph.nodes] == ["m/v2/w", "m/v2/y"]
    assert list(found.graph.nodes[1].input) == ["m/v2/w", "m/v2/w:0", "^m/v2/w"]
    assert list(found.graph.weights) == ["m/v2/w"]
    assert found.signatures["k"].outputs["out"].tensor == Tensor("m/v2/y", 1)
    assert found.initializers == ("m/v2/y",)


def test_the_model_that_was_scoped_stays_as_it_was() -> None:
    plain = model("k", "y", new_node("Enter", "y", ["y"], frame_name="loop"))
    before = plain.graph.nodes[0].message.SerializeToString()
    scoped(plain, "m")
    assert plain.graph.nodes[0].message.SerializeToString() == before


@pytest.mark.parametrize("key", ["frame_name", "shared_name", "tensor_array_name"])
@pytest.mark.parametrize(("name", "found"), [("loop", "m/loop"), ("", "")])
def test_names_that_tensorflow_looks_up_at_run_time_get_the_scope(key: str, name: str, found: str) -> None:
    (made,) = scoped(model("k", "y", new_node("Op", "y", **{key: name, "other": name})), "m").graph.nodes
    assert attr(made, key) == found
    assert attr(made, "other") == name


def called(name: str) -> NameAttrList:
    return NameAttrList(name=name)


WITHIN = NameAttrList(name="f", attr=new_node("X", "x", g=called("g"), shared_name="table", other="table").attr)


def test_functions_get_the_scope_wherever_they_are_named() -> None:
    body = Function(
        definition=FunctionDef(signature=OpDef(name="f", input_arg=[OpDef.ArgDef(name="a", type=1)])),
        graph=Graph(
            (const("c"), new_node("g", "call", ["a", "c", "^c"], frame_name="loop", inner=called("g"))),
            {"c": weight(1)},
        ),
        returns={"r": Tensor("call")},
    )
    other = Function(FunctionDef(signature=OpDef(name="g")), Graph(()), {})
    caller = new_node(
        "If", "y", one=called("f"), two=WITHIN, several=[called("g"), called("f")], foreign=called("absent")
    )
    found = scoped(replace(model("k", "y", caller), functions={"f": body, "g": other}), "m")

    assert list(found.functions) == ["m/f", "m/g"]
    assert [function.definition.signature.name for function in found.functions.values()] == ["m/f", "m/g"]
    (made,) = found.graph.nodes
    assert attr(made, "one").name == "m/f"
    assert (attr(made, "two").name, attr(made, "two").attr["g"].func.name) == ("m/f", "m/g")
    assert (attr(made, "two").attr["shared_name"].s, attr(made, "two").attr["other"].s) == (b"m/table", b"table")
    assert [one.name for one in attr(made, "several")] == ["m/g", "m/f"]
    assert attr(made, "foreign").name == "absent"

    inner = found.functions["m/f"]
    assert [(one.op, one.name) for one in inner.graph.nodes] == [("Const", "c"), ("m/g", "call")]
    assert list(inner.graph.nodes[1].input) == ["a", "c", "^c"]
    assert attr(inner.graph.nodes[1], "frame_name") == "m/loop"
    assert attr(inner.graph.nodes[1], "inner").name == "m/g"
    assert (list(inner.graph.weights), inner.returns) == (["c"], {"r": Tensor("call")})
    assert [argument.name for argument in inner.definition.signature.input_arg] == ["a"]


def test_a_function_used_as_an_op_gets_the_scope() -> None:
    functions = {"f": Function(FunctionDef(signature=OpDef(name="f")), Graph(()), {})}
    found = scoped(replace(model("k", "y", new_node("f", "y"), new_node("Relu", "z")), functions=functions), "m")
    assert [one.op for one in found.graph.nodes] == ["m/f", "Relu"]


# Several models


def test_models_stand_one_after_the_other_with_all_that_is_theirs() -> None:
    function = Function(FunctionDef(signature=OpDef(name="f")), Graph(()), {})
    one = replace(
        model("one", "y", const("w"), new_node("Relu", "y", ["w"]), w=weight(1)), producer=27, initializers=("y",)
    )
    two = replace(
        model("two", "y", const("w"), new_node("Relu", "y", ["w"]), w=weight(2)), producer=12, functions={"f": function}
    )
    found = link({"b": one, "a": two})
    assert [node.name for node in found.graph.nodes] == ["b/w", "b/y", "a/w", "a/y"]
    assert {name: stored.array().tolist() for name, stored in found.graph.weights.items()} == {"b/w": [1], "a/w": [2]}
    assert {key: signature.outputs["out"].tensor.node for key, signature in found.signatures.items()} == {
        "one": "b/y",
        "two": "a/y",
    }
    assert list(found.functions) == ["a/f"]
    assert found.initializers == ("b/y",)
    assert found.producer == 27
    check(found, after="link")


def test_one_key_for_two_models_is_an_error_that_names_them() -> None:
    models = {"one": model("k"), "two": model("other"), "three": model("k")}
    with pytest.raises(ManifestError) as caught:
        link(models)
    assert str(caught.value) == "two models have a signature 'k' (found one and three)"


def test_an_error_names_all_doubled_keys() -> None:
    both = replace(model("k"), signatures={"k": Signature({}, {}), "l": Signature({}, {})})
    with pytest.raises(ManifestError) as caught:
        link({"one": both, "two": both})
    assert [fault.what for fault in caught.value.faults] == [
        "two models have a signature 'k'",
        "two models have a signature 'l'",
    ]


# Shared weights


def test_a_weight_that_two_models_hold_is_kept_once() -> None:
    one = model("one", "y", const("w"), new_node("Relu", "y", ["w"]), w=weight(1, 2))
    two = model("two", "y", const("v"), new_node("Mul", "y", ["v", "v:0", "^v"]), v=weight(1, 2, at=3))
    found = link({"one": one, "two": two})
    assert [node.name for node in found.graph.nodes] == ["one/w", "one/y", "two/y"]
    assert list(found.graph.weights) == ["one/w"]
    assert list(found.graph.by_name["two/y"].input) == ["one/w", "one/w", "^one/w"]
    check(found, after="link")


def shared(*nodes: Node, **weights: Weight) -> Model:
    return share_weights(model("k", nodes[-1].name, *nodes, **weights))


READER = new_node("AddN", "y", ["a", "b", "c"])


def test_equal_weights_of_one_model_are_kept_once() -> None:
    equal = {name: weight(1, at=index) for index, name in enumerate("abc")}
    found = shared(const("a"), const("b"), const("c"), READER, **equal)
    assert list(found.graph.weights) == ["a"]
    assert list(found.graph.by_name["y"].input) == ["a", "a", "a"]


@pytest.mark.parametrize(
    "other",
    [
        weight(2),
        weight(1, 1),
        weight(1, dtype=DType.float64),
        replace(weight(1), shape=()),
        replace(weight(1), dtype=INT),
        replace(weight(1), affine=Affine(1.0, 0.0, FLOAT)),
        weight(np.float32(-0.0)),
    ],
    ids=["value", "length", "bytes", "shape", "dtype", "quantization", "sign of zero"],
)
def test_weights_that_differ_in_anything_are_kept(other: Weight) -> None:
    first = weight(0.0) if other.array().tolist() == [0.0] else weight(1)
    assert len(shared(const("a"), const("b"), new_node("Add", "y", ["a", "b"]), a=first, b=other).graph.weights) == 2


def test_equal_strings_are_kept_once() -> None:
    words = Weight(DType.string, (1,), Group((Memory(b"\1\0\0\0x"),)), 0, 5, DType.string)
    found = shared(const("a"), const("b"), new_node("Add", "y", ["a", "b"]), a=words, b=words)
    assert list(found.graph.weights) == ["a"]


def test_empty_tensors_are_weights_like_others() -> None:
    assert list(
        shared(const("a"), const("b"), new_node("Add", "y", ["a", "b"]), a=weight(), b=weight()).graph.weights
    ) == ["a"]


def test_a_constant_of_a_loop_stays_in_its_frame() -> None:
    found = shared(
        const("a"), const("b", "^frame"), const("c"), new_node("Enter", "frame", ["a"]), READER,
        a=weight(1), b=weight(1), c=weight(1),
    )  # fmt: skip
    assert list(found.graph.weights) == ["a", "b"]
    assert list(found.graph.by_name["y"].input) == ["a", "b", "a"]


def test_constants_of_functions_stay_where_they_are() -> None:
    body = Function(FunctionDef(), Graph((const("c"), const("d")), {"c": weight(1), "d": weight(1)}), {})
    found = share_weights(replace(model("k", "a", const("a"), a=weight(1)), functions={"f": body}))
    assert list(found.functions["f"].graph.weights) == ["c", "d"]


def test_a_signature_may_point_at_a_constant_that_was_shared() -> None:
    bare = Model(
        Graph((const("a"), const("b")), {"a": weight(1), "b": weight(1)}),
        {"k": Signature({}, outputs(one="a", two="b"))},
    )
    signature = share_weights(bare).signatures["k"]
    assert {key: spec.tensor.node for key, spec in signature.outputs.items()} == {"one": "a", "two": "a"}


def test_a_constant_that_callers_feed_stands_for_itself_alone() -> None:
    nodes = (const("a"), const("b"), const("c"), READER)
    weights = {name: weight(1) for name in "abc"}
    fed = Model(Graph(nodes, weights), {"k": Signature(outputs(bias="a"), outputs(out="y"))})
    found = share_weights(fed)
    assert list(found.graph.weights) == ["a", "b"]
    assert list(found.graph.by_name["y"].input) == ["a", "b", "b"]


def test_what_shares_nothing_is_the_same_model() -> None:
    alone = model("k", "a", const("a"), a=weight(1))
    assert share_weights(alone) is alone


@pytest.mark.parametrize("other", [weight(2), weight(1, 2)], ids=["first bytes", "form"])
def test_weights_that_differ_at_first_sight_are_not_read_whole(other: Weight, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Weight, "fingerprint", lambda weight: pytest.fail("a weight was read"))
    shared(const("a"), const("b"), new_node("Add", "y", ["a", "b"]), a=weight(1), b=other)


def test_many_models_and_nodes_are_no_matter() -> None:
    nodes = [new_node("Relu", f"n{index}", [f"n{index - 1}" if index else "w"]) for index in range(200)]
    models = {f"m{index}": model(f"k{index}", "n199", const("w"), *nodes, w=weight(index % 7)) for index in range(100)}
    started = time.process_time()
    found = link(models)
    assert len(found.graph.weights) == 7
    assert time.process_time() - started < 5
