from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bundler.convert.select import Selection, select
from bundler.disk.shards import Group, Memory
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import PREDICT, Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, constant, new_node, shape_proto
from bundler.ir.protos import FunctionDef, NameAttrList, TensorProto
from bundler.ir.prune import prune, reachable
from bundler.ir.weight import Weight
from bundler.manifest import SignatureSpec
from tests.support.models import placeholder

FLOAT, INT, STRING = DType.float32, DType.int32, DType.string


def weight() -> Weight:
    return Weight(FLOAT, (1,), Group((Memory(b"\0" * 4),)), 0, 4, FLOAT)


NODES = (
    placeholder("image", None, 4),
    placeholder("flag", dtype=DType.bool),
    placeholder("hidden", dtype=INT),
    new_node("Const", "w", dtype=FLOAT),
    new_node("Mul", "stem", ["image", "w"], T=FLOAT),
    new_node("TopKV2", "top", ["stem", "hidden"], T=FLOAT, index_type=INT),
    new_node("Relu", "left", ["stem", "^flag"], T=FLOAT),
    new_node("Relu", "right", ["top"], T=FLOAT),
    constant("lonely", np.array([1], np.int32)),
    new_node("Alien", "alien", ["right"]),
)
OWN = Signature(
    inputs={"picture": TensorSpec(Tensor("image"), FLOAT, (None, 4)), "flag": TensorSpec(Tensor("flag"), DType.bool)},
    outputs={"a": TensorSpec(Tensor("left"), FLOAT, (None, 4)), "b": TensorSpec(Tensor("right"), FLOAT)},
)
MODEL = Model(Graph(NODES, {"w": weight()}), {"": OWN})


def ask(model: Model = MODEL, **asked: Any) -> Selection:
    return select(model, [SignatureSpec(key="k", **asked)])


def signature(model: Model = MODEL, **asked: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Inputs and outputs of the one signature, by name: the tensor."""
    selection = ask(model, **asked)
    assert selection.faults == ()
    found = selection.model.signatures["k"]
    inputs, outputs = ({key: spec.tensor.full for key, spec in side.items()} for side in (found.inputs, found.outputs))
    return inputs, outputs


def faults_of(model: Model = MODEL, **asked: Any) -> list[tuple[str, str]]:
    """What is wrong, and the hints."""
    return [(str(fault), fault.hint) for fault in ask(model, **asked).faults]


# What is asked


def test_nothing_asked_is_the_models_own_signature() -> None:
    everything = {"picture": "image:0", "flag": "flag:0", "hidden": "hidden:0"}
    assert signature() == (everything, {"a": "left:0", "b": "right:0"})


@pytest.mark.parametrize(
    ("outputs", "found"),
    [
        (["a"], {"a": "left:0"}),
        (["left"], {"left": "left:0"}),
        (["left:0"], {"left": "left:0"}),
        (["top:1", "top"], {"top:1": "top:1", "top": "top:0"}),
        (["top:1", "top:0"], {"top:1": "top:1", "top": "top:0"}),
        (["stem"], {"stem": "stem:0"}),
        (["w"], {"w": "w:0"}),
        (["image"], {"image": "image:0"}),
        (["alien:5"], {"alien:5": "alien:5"}),
    ],
)
def test_outputs_are_own_keys_tensors_or_ports_of_any_node(outputs: list[str], found: dict[str, str]) -> None:
    assert signature(outputs=outputs)[1] == found


def test_outputs_keep_their_order() -> None:
    assert list(signature(outputs=["b", "a", "stem"])[1]) == ["b", "a", "stem"]


def test_an_own_key_goes_before_a_node_of_that_name() -> None:
    own = replace(OWN, outputs={"left": TensorSpec(Tensor("right"), FLOAT)})
    model = replace(MODEL, signatures={"": own})
    assert signature(model, outputs=["left"])[1] == {"left": "right:0"}
    assert signature(model, outputs=["left:0"])[1] == {"left": "left:0"}
    assert signature(model, outputs=["left", "left:0"])[1] == {"left": "right:0", "left:0": "left:0"}


@pytest.mark.parametrize(
    ("outputs", "inputs"),
    [
        (["a"], {"picture": "image:0", "flag": "flag:0"}),
        (["b"], {"picture": "image:0", "hidden": "hidden:0"}),
        (["stem"], {"picture": "image:0"}),
        (["lonely"], {}),
        (["image"], {"picture": "image:0"}),
    ],
)
def test_inputs_are_the_placeholders_that_the_outputs_need(outputs: list[str], inputs: dict[str, str]) -> None:
    assert signature(outputs=outputs)[0] == inputs


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        (["picture"], {"picture": "image:0"}),
        (["image"], {"image": "image:0"}),
        (["image:0"], {"image": "image:0"}),
        (["image", "hidden"], {"image": "image:0", "hidden": "hidden:0"}),
    ],
)
def test_inputs_may_be_named(inputs: list[str], found: dict[str, str]) -> None:
    assert signature(outputs=["stem"], inputs=inputs)[0] == found


@pytest.mark.parametrize(
    ("outputs", "inputs"),
    [
        (["right"], ["stem", "hidden"]),
        (["right"], ["top"]),
        (["top:1"], ["top:1"]),
        (["left"], ["stem", "flag"]),
        (["w"], ["w"]),
    ],
)
def test_an_inner_tensor_may_be_fed_and_nothing_before_it_is_needed(outputs: list[str], inputs: list[str]) -> None:
    found = signature(outputs=outputs, inputs=inputs)[0]
    assert found == {name: Tensor.parse(name).full for name in inputs}


def test_feeding_one_port_of_a_node_does_not_feed_the_others() -> None:
    assert faults_of(outputs=["top:1"], inputs=["top"]) == [
        ("signature[0].inputs: the outputs need more inputs (found top, expected hidden, image)", "")
    ]


def test_an_own_input_that_is_an_inner_tensor_keeps_what_lies_before_it_out() -> None:
    own = Signature({"features": TensorSpec(Tensor("stem"), FLOAT)}, OWN.outputs)
    assert signature(replace(MODEL, signatures={"": own}), outputs=["b"])[0] == {
        "features": "stem:0",
        "hidden": "hidden:0",
    }


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("a", TensorSpec(Tensor("left"), FLOAT, (None, 4))),
        ("left", TensorSpec(Tensor("left"), FLOAT, (None, 4))),
        ("image", TensorSpec(Tensor("image"), FLOAT, (None, 4))),
        ("top:1", TensorSpec(Tensor("top", 1), INT, None)),
        ("alien", TensorSpec(Tensor("alien"), None, None)),
    ],
)
def test_what_is_known_of_a_tensor_is_kept(name: str, spec: TensorSpec) -> None:
    (found,) = ask(outputs=[name]).model.signatures["k"].outputs.values()
    assert found == spec


def test_a_model_may_have_several_signatures() -> None:
    selection = select(MODEL, [SignatureSpec(key="one", outputs=("a",)), SignatureSpec(key="two", outputs=("b",))])
    assert {key: list(found.outputs) for key, found in selection.model.signatures.items()} == {
        "one": ["a"],
        "two": ["b"],
    }


# Renames


@pytest.mark.parametrize("name", ["picture", "picture:0", "image", "image:0"])
def test_an_input_is_renamed_by_its_key_or_its_tensor(name: str) -> None:
    assert set(signature(rename={name: "input"})[0]) == {"input", "flag", "hidden"}


@pytest.mark.parametrize("name", ["a", "a:0", "left", "left:0"])
def test_an_output_is_renamed_by_its_key_or_its_tensor(name: str) -> None:
    assert signature(rename={name: "scores"})[1] == {"scores": "left:0", "b": "right:0"}


def test_names_may_be_swapped() -> None:
    assert signature(rename={"a": "b", "b": "a"})[1] == {"b": "left:0", "a": "right:0"}


def test_a_key_goes_before_another_outputs_tensor_of_that_name() -> None:
    crossed = Signature({}, {"left": TensorSpec(Tensor("right"), FLOAT), "right": TensorSpec(Tensor("left"), FLOAT)})
    model = replace(MODEL, signatures={"": crossed})
    assert signature(model, rename={"left": "x"})[1] == {"x": "right:0", "right": "left:0"}


def test_an_input_and_an_output_may_have_one_name() -> None:
    assert signature(outputs=["stem"], rename={"stem": "x", "image": "x"}) == ({"x": "image:0"}, {"x": "stem:0"})


def test_the_method_is_kept() -> None:
    assert ask().model.signatures["k"].method_name == PREDICT


# Faults


@pytest.mark.parametrize(
    ("asked", "faults"),
    [
        (
            {"outputs": ["a", "lefd"]},
            [("signature[0].outputs[1]: the model has no such tensor (found 'lefd')", "did you mean 'left'?")],
        ),
        (
            {"outputs": ["zzz"]},
            [("signature[0].outputs[0]: the model has no such tensor (found 'zzz')", "its own outputs are a, b")],
        ),
        (
            {"inputs": ["zzz"], "outputs": ["yyy"]},
            [
                ("signature[0].outputs[0]: the model has no such tensor (found 'yyy')", "its own outputs are a, b"),
                (
                    "signature[0].inputs[0]: the model has no such tensor (found 'zzz')",
                    "its own inputs are flag, picture",
                ),
            ],
        ),
        (
            {"outputs": ["top:2"]},
            [("signature[0].outputs[0]: the model has no such tensor (found 'top:2')", "did you mean 'top'?")],
        ),
        (
            {"outputs": ["^alien"]},
            [("signature[0].outputs[0]: the model has no such tensor (found '^alien')", "did you mean 'alien'?")],
        ),
        (
            {"outputs": ["b"], "inputs": []},
            [("signature[0].inputs: the outputs need more inputs (found none, expected hidden, image)", "")],
        ),
        (
            {"outputs": ["b"], "inputs": ["picture"]},
            [("signature[0].inputs: the outputs need more inputs (found picture, expected hidden)", "")],
        ),
        (
            {"rename": {"pictures": "x"}},
            [
                (
                    "signature[0].rename.pictures: no input or output of this signature has that name",
                    "did you mean 'picture'?",
                )
            ],
        ),
        (
            {"outputs": ["a"], "rename": {"zzz": "x"}},
            [
                (
                    "signature[0].rename.zzz: no input or output of this signature has that name",
                    "it has a, flag, picture",
                )
            ],
        ),
        ({"rename": {"a": "b"}}, [("signature[0].rename: two tensors would be called 'b'", "")]),
        ({"rename": {"picture": "flag"}}, [("signature[0].rename: two tensors would be called 'flag'", "")]),
        ({"rename": {"a": "x", "left": "y"}}, [("signature[0].rename: 'a' is renamed twice", "")]),
        (
            {"method_name": "regress", "outputs": ["lonely"]},
            [
                (
                    "signature[0].method_name: TensorFlow Serving takes no such input for this method"
                    " (found none, expected inputs: string)",
                    'rename it, or leave the method at "predict"',
                ),
                (
                    "signature[0].method_name: TensorFlow Serving takes no such output for this method"
                    " (found lonely: int32, expected outputs: float32)",
                    'rename it, or leave the method at "predict"',
                ),
            ],
        ),
    ],
    ids=str,
)
def test_what_is_wrong_is_reported_by_its_place_with_a_way_out(asked: Any, faults: list[tuple[str, str]]) -> None:
    assert faults_of(**asked) == faults


def test_a_model_without_outputs_is_a_fault() -> None:
    empty = Model(Graph(NODES), {"": Signature({}, {})})
    assert faults_of(empty) == [("signature[0].outputs: the model has no outputs of its own", "")]


def test_the_faults_of_all_signatures_come_at_once() -> None:
    selection = select(MODEL, [SignatureSpec(key="one", outputs=("zzz",)), SignatureSpec(key="two", outputs=("yyy",))])
    places = [fault.place.keys for fault in selection.faults]
    assert places == [("signature", 0, "outputs", 0), ("signature", 1, "outputs", 0)]


# Pruning


def test_what_no_signature_needs_goes_with_its_weights() -> None:
    pruned = ask(outputs=["lonely"]).model
    assert [one.name for one in pruned.graph.nodes] == ["lonely"]
    assert pruned.graph.weights == {}


def test_an_op_that_tensorflow_does_not_know_goes_where_nothing_needs_it() -> None:
    assert "alien" not in ask().model.graph.by_name


def test_what_is_needed_stays_in_its_order_control_inputs_and_loops_included() -> None:
    assert [one.name for one in ask(outputs=["a"]).model.graph.nodes] == ["image", "flag", "w", "stem", "left"]


def test_what_lies_before_a_fed_tensor_stays_for_a_graph_must_be_whole() -> None:
    assert "image" in ask(outputs=["left"], inputs=["stem", "flag"]).model.graph.by_name


def test_cycles_are_walked_once() -> None:
    loop = Graph(
        (
            new_node("Merge", "m", ["next"]),
            new_node("NextIteration", "next", ["m"]),
            new_node("Exit", "e", ["m:0", "^next"]),
        )
    )
    assert reachable(loop, ["e"]) == {"m", "next", "e"}


def function(*nodes: Node) -> Function:
    return Function(FunctionDef(), Graph(nodes), {})


CALLS = {
    "as an attribute": new_node("StatelessIf", "y", then_branch=NameAttrList(name="f")),
    "in a list": new_node("Case", "y", branches=[NameAttrList(name="f")]),
    "within another": new_node(
        "Map", "y", f=NameAttrList(name="absent", attr={"g": new_node("X", "x", g=NameAttrList(name="f")).attr["g"]})
    ),
    "as an op": new_node("f", "y"),
}


@pytest.mark.parametrize("caller", CALLS.values(), ids=CALLS.keys())
def test_functions_stay_where_they_are_called_and_those_that_they_call(caller: Node) -> None:
    functions = {
        "unused": function(),
        "f": function(new_node("While", "w", body=NameAttrList(name="g"))),
        "g": function(),
    }
    outputs = {"out": TensorSpec(Tensor("y"))}
    pruned = prune(Model(Graph((caller,)), {"s": Signature({}, outputs)}, functions))
    assert list(pruned.functions) == ["f", "g"]


def test_functions_may_call_each_other_in_circles() -> None:
    functions = {"f": function(new_node("g", "n")), "g": function(new_node("f", "n"))}
    pruned = prune(Model(Graph((new_node("f", "y"),)), {"s": Signature({}, {"o": TensorSpec(Tensor("y"))})}, functions))
    assert set(pruned.functions) == {"f", "g"}


def with_constant(const: Node) -> Model:
    return Model(Graph((const,)), {"": Signature({}, {"c": TensorSpec(Tensor("c"))})})


@pytest.mark.parametrize(
    "value",
    [
        None,
        TensorProto(),
        TensorProto(dtype=1, tensor_shape=shape_proto((2,))),
        TensorProto(dtype=1, tensor_shape=shape_proto((2,)), version_number=1),
    ],
    ids=["none", "nothing", "dtype and shape", "version"],
)
def test_a_needed_constant_without_weight_is_an_error(value: TensorProto | None) -> None:
    with pytest.raises(ConversionError, match="^node 'c': the model holds no weight for this constant$"):
        ask(with_constant(new_node("Const", "c", dtype=FLOAT, value=value)))


@pytest.mark.parametrize(
    "value",
    [
        TensorProto(dtype=1, tensor_shape=shape_proto((0, 3))),
        TensorProto(dtype=1, tensor_shape={}, float_val=[0]),
        TensorProto(dtype=7, tensor_shape={}, string_val=[b""]),
    ],
    ids=["empty", "number", "string"],
)
def test_a_constant_may_hold_its_own_value(value: TensorProto) -> None:
    model = with_constant(new_node("Const", "c", dtype=FLOAT, value=value))
    assert ask(model).model.graph == model.graph


def test_a_constant_of_a_function_needs_its_weight_as_well() -> None:
    outputs = {"o": TensorSpec(Tensor("y"))}
    called = function(new_node("Const", "c", dtype=FLOAT))
    with pytest.raises(ConversionError, match="^node 'c': the model holds no weight"):
        prune(Model(Graph((new_node("f", "y"),)), {"s": Signature({}, outputs)}, {"f": called}))


KEYWORDS = replace(MODEL, signatures={"": Signature({"in": OWN.inputs["picture"]}, {"class": OWN.outputs["a"]})})
ALIKE = replace(
    MODEL,
    signatures={"": Signature({"a b": OWN.inputs["picture"], "a:b": OWN.inputs["flag"]}, {"a": OWN.outputs["a"]})},
)


def test_a_models_own_input_keys_that_python_cannot_pass_change_with_a_note() -> None:
    assert signature(KEYWORDS) == ({"in_": "image:0", "flag": "flag:0"}, {"class": "left:0"})
    assert ask(KEYWORDS).model.notes == ("input 'in' of signature 'k' is named 'in_': it is a keyword of Python",)
    assert signature(ALIKE)[0] == {"a b": "image:0", "a_b_2": "flag:0"}
    assert ask(ALIKE).model.notes == (
        "input 'a:b' of signature 'k' is named 'a_b_2': for TensorFlow it is the same argument as 'a b'",
    )


def test_an_own_key_that_is_renamed_does_not_change_further() -> None:
    assert signature(KEYWORDS, rename={"in": "photo"})[0] == {"photo": "image:0", "flag": "flag:0"}
    assert ask(KEYWORDS, rename={"in": "photo"}).model.notes == ()


@pytest.mark.parametrize(
    ("asked", "place", "what", "hint"),
    [
        ({"rename": {"image": "class"}}, "rename.image", "'class' cannot be the name of an input", "'class_'"),
        ({"rename": {"image": "self"}}, "rename.image", "'self' cannot be the name of an input", "'self_'"),
        ({"rename": {"image": "a b", "flag": "a:b"}}, "rename.flag", "the same argument as 'a b'", "'a_b_2'"),
        ({"inputs": ["in", "flag"]}, "inputs[0]", "'in' cannot be the name of an input", "'in_'"),
    ],
)
def test_an_input_key_of_the_manifest_that_python_cannot_pass_is_a_fault_with_a_proposal(
    asked: dict[str, Any], place: str, what: str, hint: str
) -> None:
    (fault,) = ask(KEYWORDS, **asked).faults
    assert str(fault.place).endswith(place)
    assert what in fault.what
    assert fault.hint == f"choose another, such as {hint}"


def test_outputs_may_have_any_names() -> None:
    assert ask(KEYWORDS, outputs=["class"], rename={"class": "in"}).faults == ()
