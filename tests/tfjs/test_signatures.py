from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import PREDICT, Graph, Signature, TensorSpec
from bundler.ir.nodes import Tensor, new_node
from bundler.tfjs.signatures import read_signature
from tests.support.models import const, placeholder

FLOAT, INT = DType.float32, DType.int32
GRAPH = Graph(
    nodes=(
        placeholder("x", None, 3),
        placeholder("n", dtype=INT),
        const("w", np.array([1, 2], np.int64)),
        new_node("TopKV2", "top", ["x", "n"], T=FLOAT),
        new_node("Identity", "Identity", ["top"], T=FLOAT),
        new_node("Identity", "Identity_1", ["top:1"], T=INT),
        new_node("MyOp", "mine", ["w"]),
        new_node("NoOp", "nothing", ["^Identity"]),
    )
)
OWN = {"inputs": {"in": {"name": "x:0"}}, "outputs": {"out": {"name": "Identity:0"}}}
OTHER = {"inputs": {"other": {"name": "n:0"}}, "outputs": {"mine": {"name": "mine"}}}


def read(**document: Any) -> Signature:
    return read_signature(document, GRAPH)


def tensors(**document: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Inputs and outputs, by key: the tensor."""
    found = read(**document)
    inputs, outputs = ({key: spec.tensor.full for key, spec in side.items()} for side in (found.inputs, found.outputs))
    return inputs, outputs


@pytest.mark.parametrize(
    "document",
    [
        {"signature": OWN},
        {"userDefinedMetadata": {"signature": OWN}},
        {"userDefinedMetadata": {"signature": OWN}, "signature": OTHER},
        {"userDefinedMetadata": {}, "signature": OWN},
        {"userDefinedMetadata": {"signature": None}, "signature": OWN},
        {"userDefinedMetadata": None, "signature": OWN},
    ],
)
def test_the_signature_is_that_of_the_metadata_else_that_of_the_file(document: Any) -> None:
    assert tensors(**document) == ({"in": "x:0"}, {"out": "Identity:0"})


ALL_INPUTS = {"x": "x:0", "n": "n:0"}
ALL_OUTPUTS = {"Identity_1": "Identity_1:0", "mine": "mine:0"}


@pytest.mark.parametrize("document", [{}, {"signature": {}}, {"signature": None}, {"signature": {"inputs": {}}}])
def test_without_a_signature_placeholders_are_inputs_and_unread_nodes_are_outputs(document: Any) -> None:
    assert tensors(**document) == (ALL_INPUTS, ALL_OUTPUTS)


def test_only_outputs_may_be_declared() -> None:
    assert tensors(signature={"outputs": OWN["outputs"]}) == (ALL_INPUTS, {"out": "Identity:0"})


def test_only_inputs_may_be_declared() -> None:
    assert tensors(signature={"inputs": OWN["inputs"]}) == ({"in": "x:0"}, ALL_OUTPUTS)


def test_a_placeholder_with_a_default_is_an_input() -> None:
    graph = Graph((const("c", np.zeros(2, np.float32)), new_node("PlaceholderWithDefault", "p", ["c"], dtype=FLOAT)))
    assert read_signature({}, graph).inputs == {"p": TensorSpec(Tensor("p"), FLOAT, None)}


def test_the_method_is_predict() -> None:
    assert read(signature={**OWN, "methodName": "tensorflow/serving/classify"}).method_name == PREDICT


# Entries


def entry(**written: Any) -> TensorSpec:
    """An input `x`, as it is read."""
    return read(signature={"inputs": {"x": {"name": "x:0", **written}}}).inputs["x"]


@pytest.mark.parametrize(
    ("written", "shape"),
    [
        ({"tensorShape": {"dim": [{"size": "-1"}, {"size": "3"}]}}, (None, 3)),
        ({"tensorShape": {"dim": [{"size": 8}, {}]}}, (8, 0)),
        ({"tensorShape": {}}, ()),
        ({"tensorShape": {"unknownRank": True}}, (None, 3)),
        ({"tensorShape": None}, (None, 3)),
        ({}, (None, 3)),
    ],
)
def test_a_shape_is_the_signatures_else_the_placeholders(written: Any, shape: Any) -> None:
    assert entry(**written).shape == shape


def test_a_placeholder_without_dimensions_says_nothing_of_its_shape() -> None:
    assert read(signature={"inputs": {"n": {"name": "n"}}}).inputs["n"].shape is None


@pytest.mark.parametrize("written", [{}, {"dtype": "DT_INT32"}, {"dtype": 3}, {"dtype": "DT_INVALID"}, {"dtype": 0}])
def test_the_nodes_own_dtype_goes_before_the_signatures(written: Any) -> None:
    assert entry(**written).dtype == FLOAT


@pytest.mark.parametrize(
    ("written", "dtype"),
    [({"dtype": "DT_INT32"}, INT), ({"dtype": 3}, INT), ({"dtype": "DT_INVALID"}, None), ({}, None)],
)
def test_the_signature_gives_the_dtype_that_the_node_lacks(written: Any, dtype: DType | None) -> None:
    assert read(signature={"outputs": {"o": {"name": "mine", **written}}}).outputs["o"].dtype == dtype


@pytest.mark.parametrize(
    ("key", "written", "tensor"),
    [
        ("o", {"name": "top:1"}, Tensor("top", 1)),
        ("o", {"name": "w"}, Tensor("w")),
        ("o", {"name": "x:0", "resourceId": None}, Tensor("x")),
        ("top:1", {}, Tensor("top", 1)),
        ("top", {"name": ""}, Tensor("top")),
    ],
    ids=["inner node and port", "bare Const", "placeholder", "key for a name", "empty name"],
)
def test_an_output_may_be_any_port_of_any_node(key: str, written: Any, tensor: Tensor) -> None:
    assert [spec.tensor for spec in read(signature={"outputs": {key: written}}).outputs.values()] == [tensor]


def test_an_entry_that_freezing_removed_is_left_out() -> None:
    gone = {"name": "removed:0", "dtype": "DT_FLOAT"}
    declared = {side: {**entries, "gone": gone} for side, entries in OWN.items()}
    assert tensors(signature=declared) == ({"in": "x:0"}, {"out": "Identity:0"})


def test_where_all_entries_are_gone_there_might_as_well_be_none() -> None:
    declared = {side: {"gone": {"name": "removed:0"}} for side in OWN}
    assert tensors(signature=declared) == (ALL_INPUTS, ALL_OUTPUTS)


@pytest.mark.parametrize("key", ["a/b", "a b", "1x", "ключ"])
def test_any_string_is_a_key(key: str) -> None:
    assert tensors(signature={"outputs": {key: {"name": "top"}}})[1] == {key: "top:0"}


@pytest.mark.parametrize(
    ("keys", "short"),
    [
        (["Identity:0", "Identity_1:0"], {"Identity", "Identity_1"}),
        (["y:0", "y"], {"y:0", "y"}),
        (["y:0", "y:1"], {"y", "y:1"}),
    ],
)
def test_keys_lose_a_trailing_0_where_they_stay_unique(keys: list[str], short: set[str]) -> None:
    assert set(read(signature={"outputs": {key: {"name": "top"} for key in keys}}).outputs) == short


# Structured outputs

PAIR = {"Identity_1:0": {"name": "Identity_1:0"}, "Identity:0": {"name": "Identity:0"}}


@pytest.mark.parametrize("names", [["boxes", "scores"], ["scores", "boxes"]])
@pytest.mark.parametrize("outputs", [PAIR, dict(reversed(PAIR.items()))], ids=["descending", "ascending"])
def test_structured_outputs_are_paired_by_number_whatever_the_order(names: list[str], outputs: Any) -> None:
    document = {"signature": {"outputs": outputs}, "userDefinedMetadata": {"structuredOutputKeys": names}}
    assert tensors(**document)[1] == {"boxes": "Identity:0", "scores": "Identity_1:0"}


def test_numbers_are_not_sorted_as_text() -> None:
    nodes = [placeholder("x"), *(new_node("Identity", f"Identity_{n}", ["x"], T=FLOAT) for n in range(1, 12))]
    nodes.append(new_node("Identity", "StatefulPartitionedCall/Identity", ["x"], T=FLOAT))
    outputs = {one.name: {"name": one.name} for one in nodes[1:]}
    names = [f"name{n:02}" for n in range(12)]
    document = {"signature": {"outputs": outputs}, "userDefinedMetadata": {"structuredOutputKeys": names}}
    found = read_signature(document, Graph(tuple(nodes))).outputs
    assert found["name00"].tensor.node == "StatefulPartitionedCall/Identity"
    assert [found[f"name{n:02}"].tensor.node for n in range(1, 12)] == [f"Identity_{n}" for n in range(1, 12)]


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        (PAIR, ["boxes"]),
        (PAIR, []),
        (PAIR, None),
        ({"Identity": {"name": "Identity"}, "top": {"name": "top"}}, ["boxes", "scores"]),
        ({"a": {"name": "Identity"}, "b": {"name": "Identity"}}, ["boxes", "scores"]),
    ],
    ids=["too few", "none", "null", "not numbered", "one tensor twice"],
)
def test_structured_names_that_cannot_be_paired_are_not_used(outputs: Any, names: Any) -> None:
    plain = read(signature={"outputs": outputs})
    named = read(signature={"outputs": outputs}, userDefinedMetadata={"structuredOutputKeys": names})
    assert named == plain


# What makes no sense


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"signature": "x"}, "signature: 'signature' is of the wrong kind (found \"x\", expected an object)"),
        (
            {"signature": {"inputs": ["x"]}},
            "signature: 'inputs' is of the wrong kind (found [\"x\"], expected an object)",
        ),
        (
            {"signature": {"inputs": {"x": "x:0"}}},
            "signature: inputs 'x': its value is of the wrong kind (found \"x:0\", expected an object)",
        ),
        (
            {"signature": {"outputs": {"o": {"name": 3}}}},
            "signature: outputs 'o': 'name' is of the wrong kind (found 3, expected a string)",
        ),
        (
            {"signature": {"outputs": {"o": {"name": "top:2"}}}},
            "signature: outputs 'o': the node has no such output (found top:2)",
        ),
        (
            {"signature": {"outputs": {"o": {"name": "^top"}}}},
            "signature: outputs 'o': the node has no such output (found ^top)",
        ),
        (
            {"signature": {"outputs": {"o": {"name": "mine", "dtype": "DT_NONSENSE"}}}},
            "signature: outputs 'o': 'DT_NONSENSE' is not a dtype",
        ),
        (
            {"signature": {"outputs": {"o": {"name": "top", "tensorShape": [1]}}}},
            "signature: outputs 'o': a shape is of the wrong kind (found [1], expected an object)",
        ),
        (
            {"userDefinedMetadata": {"structuredOutputKeys": "a"}},
            "signature: 'structuredOutputKeys' is of the wrong kind (found \"a\", expected a list)",
        ),
    ],
)
def test_an_entry_that_is_malformed_is_an_error_with_its_place(document: Any, error: str) -> None:
    with pytest.raises(ConversionError) as caught:
        read(**document)
    assert str(caught.value) == error
