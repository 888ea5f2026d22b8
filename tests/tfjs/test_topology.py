from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bundler.disk.shards import Group, Memory
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph
from bundler.ir.nodes import Tensor, attr, show
from bundler.ir.weight import Weight
from bundler.tfjs.topology import read_functions, read_graph

FLOAT, INT, INT64 = DType.float32, DType.int32, DType.int64
T_FLOAT = {"T": {"type": "DT_FLOAT"}}
X = {"name": "x", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}}}


def weight(*values: float, dtype: DType = FLOAT) -> Weight:
    content = np.array(values, dtype.numpy).tobytes()
    return Weight(dtype, (len(values),), Group((Memory(content),)), 0, len(content), dtype)


def graph(*nodes: Any, **weights: Weight) -> Graph:
    return read_graph({"node": list(nodes)}, weights)


def test_a_node_needs_no_attributes_and_no_inputs() -> None:
    (node,) = graph({"name": "n", "op": "NoOp"}).nodes
    assert (node.name, node.op, list(node.input), dict(node.attr)) == ("n", "NoOp", [], {})


def test_a_node_keeps_its_inputs_in_order() -> None:
    nodes = [
        X,
        {"name": "u", "op": "TopKV2", "input": ["x", "x:0"]},
        {"name": "y", "op": "MyOp", "input": ["u:1", "^x"]},
    ]
    assert list(graph(*nodes).by_name["y"].input) == ["u:1", "^x"]


def test_the_device_goes_for_it_is_where_the_converter_ran() -> None:
    assert graph({**X, "device": "/device:CPU:0"}).nodes[0].message.device == ""


def test_private_attributes_go_for_they_speak_of_the_program_that_wrote_the_graph() -> None:
    private = ["_class", "_input_shapes", "_output_shapes", "_lower_using_switch_merge", "_num_original_outputs"]
    private += ["_has_manual_control_dependencies", "_read_only_resource_inputs"]
    attrs: dict[str, Any] = {key: {"x": "anything at all"} for key in private}
    assert set(graph({"name": "y", "op": "MyOp", "attr": {**attrs, "a": {"i": 1}}}).nodes[0].attr) == {"a"}


@pytest.mark.parametrize(
    ("stored", "said", "dtype"),
    [
        (INT, "DT_INT64", INT64),
        (FLOAT, "DT_DOUBLE", DType.float64),
        (FLOAT, "DT_HALF", DType.float16),
        (DType.complex64, "DT_COMPLEX128", DType.complex128),
        (FLOAT, "DT_FLOAT", FLOAT),
    ],
)
def test_a_weight_is_cast_to_what_its_node_says(stored: DType, said: str, dtype: DType) -> None:
    const = {"name": "w", "op": "Const", "attr": {"dtype": {"type": said}}}
    found = graph(const, w=weight(1, 2, dtype=stored)).weights["w"]
    assert found.array().dtype == dtype.numpy
    assert found.array().tolist() == [1, 2]


def test_a_constant_that_does_not_say_its_dtype_has_that_of_its_weight() -> None:
    made = graph({"name": "w", "op": "Const"}, w=weight(1, dtype=INT))
    assert attr(made.by_name["w"], "dtype") == INT


def test_a_weight_belongs_to_a_constant_of_its_name_only() -> None:
    assert graph(X, x=weight(1), other=weight(2)).weights == {}


def test_missing_attributes_follow_from_the_inputs() -> None:
    made = graph(X, {"name": "y", "op": "Prelu", "input": ["x", "x"]})
    assert show(made.by_name["y"], "T") == "y = Prelu(x, x, T=float32)"


@pytest.mark.parametrize(
    ("nodes", "error"),
    [
        ({"node": "x"}, "'node' is of the wrong kind (found \"x\", expected a list)"),
        ({"node": [1]}, "an item of 'node' is of the wrong kind (found 1, expected an object)"),
        ({"node": [{"name": 1}]}, "'name' is of the wrong kind (found 1, expected a string)"),
        ({"node": [{"name": "y", "op": []}]}, "node 'y': 'op' is of the wrong kind (found [], expected a string)"),
        (
            {"node": [{"name": "y", "input": "x"}]},
            "node 'y': 'input' is of the wrong kind (found \"x\", expected a list)",
        ),
        (
            {"node": [{"name": "y", "attr": {"T": 1}}]},
            "node 'y': attribute 'T': its value is of the wrong kind (found 1, expected an object)",
        ),
        (
            {"node": [{"name": "y", "op": "Relu", "attr": {"T": {"i": 1}}}]},
            "node 'y': attribute 'T' of Relu is of another kind (expected type)",
        ),
        (
            {"node": [{"name": "y", "op": "Relu", "input": ["x"]}]},
            "node 'y': reads a tensor that no node has (found x)",
        ),
        ({"node": [X, X]}, "2 nodes have the name 'x'"),
    ],
)
def test_what_makes_no_graph_is_an_error_with_its_place(nodes: Any, error: str) -> None:
    with pytest.raises(ConversionError) as caught:
        read_graph(nodes, {})
    assert str(caught.value) == error


@pytest.mark.parametrize("topology", [{}, {"node": None}, {"node": []}])
def test_a_graph_may_have_no_nodes(topology: Any) -> None:
    assert read_graph(topology, {}).nodes == ()


def test_a_weight_that_is_no_constant_of_that_dtype_is_reported_by_its_node() -> None:
    const = {"name": "w", "op": "Const", "attr": {"dtype": {"type": "DT_STRING"}}}
    with pytest.raises(ConversionError, match="^node 'w': its weight is float32, which makes no constant"):
        graph(const, w=weight(1))


# Functions


def function(**parts: Any) -> dict[str, Any]:
    """A function `f` with an argument `a` and a result `r`."""
    signature = {
        "name": "f",
        "inputArg": [{"name": "a", "type": "DT_FLOAT"}],
        "outputArg": [{"name": "r", "type": "DT_FLOAT"}],
    }
    return {"signature": signature, **parts}


def read(entry: dict[str, Any], **weights: Weight) -> Function:
    (made,) = read_functions({"library": {"function": [entry]}}, weights).values()
    return made


MUL = {"name": "m", "op": "Mul", "input": ["a", "c:output:0"], "attr": T_FLOAT}


@pytest.mark.parametrize("topology", [{}, {"library": None}, {"library": {}}, {"library": {"function": []}}])
def test_there_may_be_no_functions(topology: Any) -> None:
    assert read_functions(topology, {}) == {}


def test_a_function_has_its_arguments_and_results() -> None:
    made = read(function(nodeDef=[{"name": "m", "op": "Neg", "input": ["a"], "attr": T_FLOAT}], ret={"r": "m:y:0"}))
    signature = made.definition.signature
    assert (signature.name, [argument.name for argument in signature.input_arg]) == ("f", ["a"])
    assert [(argument.name, argument.type) for argument in signature.output_arg] == [("r", FLOAT)]
    assert made.returns == {"r": Tensor("m")}
    assert list(made.graph.by_name["m"].input) == ["a"]


def test_a_function_may_return_its_argument() -> None:
    assert read(function(ret={"r": "a"})).returns == {"r": Tensor("a")}


def test_control_outputs_and_private_attributes_of_functions_go() -> None:
    plain = function(ret={"r": "a"})
    entry = {**plain, "controlRet": {"c": "m"}, "attr": {"_input_shapes": {"list": {}}}, "argAttr": {"0": {}}}
    entry["signature"] = {**plain["signature"], "controlOutput": ["c"]}
    assert read(entry) == read(plain)


@pytest.mark.parametrize("stateful", [True, False])
def test_a_function_says_whether_it_has_state(stateful: bool) -> None:
    entry = function(ret={"r": "a"})
    entry["signature"] = {**entry["signature"], "isStateful": stateful}
    assert read(entry).definition.signature.is_stateful is stateful


@pytest.mark.parametrize(
    ("node", "reference", "tensor"),
    [
        ({"op": "TopKV2", "input": ["a", "a"]}, "n:indices:0", Tensor("n", 1)),
        ({"op": "Split", "input": ["a", "a"], "attr": {"num_split": {"i": 3}}}, "n:output:2", Tensor("n", 2)),
        (
            {"op": "While", "input": ["a", "a"], "attr": {"T": {"list": {"type": [1, 1]}}}},
            "n:output:1",
            Tensor("n", 1),
        ),
        ({"op": "FusedBatchNormV3", "input": ["a"] * 5, "attr": T_FLOAT}, "n:batch_variance:0", Tensor("n", 2)),
        ({"op": "MyOp", "input": ["a"]}, "n:whatever:1", Tensor("n", 1)),
    ],
)
def test_named_outputs_become_ports(node: Any, reference: str, tensor: Tensor) -> None:
    reader = {"name": "reader", "op": "MyOp", "input": [reference, "^n"]}
    made = read(function(nodeDef=[{"name": "n", **node}, reader], ret={"r": reference}))
    assert made.returns == {"r": tensor}
    assert list(made.graph.by_name["reader"].input) == [str(tensor), "^n"]


@pytest.mark.parametrize("node", ["c", "f/c"])
@pytest.mark.parametrize("stored", ["c", "f/c"])
@pytest.mark.parametrize("reference", ["c:output:0", "f/c:output:0"])
def test_a_constant_is_found_with_and_without_the_functions_name(node: str, stored: str, reference: str) -> None:
    nodes = [{"name": node, "op": "Const"}, {**MUL, "input": ["a", reference, f"^{reference.partition(':')[0]}"]}]
    made = read(function(nodeDef=nodes, ret={"r": "m:z:0"}), **{stored: weight(2)})
    _, name, control = made.graph.by_name["m"].input
    assert made.graph.weights[name].array().tolist() == [2]
    assert control == f"^{name}"


def test_a_function_prefers_its_own_weight_to_one_of_the_main_graph() -> None:
    entry = function(nodeDef=[{"name": "c", "op": "Const"}, MUL], ret={"r": "m:z:0"})
    made = read(entry, **{"c": weight(1), "f/c": weight(2)})
    assert made.graph.constant("c") == [2]


@pytest.mark.parametrize("nodes", [{}, {"nodeDef": []}])
def test_a_branch_that_returns_a_constant_has_no_nodes_and_gets_one(nodes: Any) -> None:
    made = read(function(**nodes, ret={"r": "cond/c:output:0"}), **{"f/cond/c": weight(2, dtype=INT)})
    (const,) = made.graph.nodes
    assert (const.op, attr(const, "dtype")) == ("Const", INT)
    assert made.returns == {"r": Tensor(const.name)}
    assert made.graph.weights[const.name].array().tolist() == [2]


def test_the_dtype_of_an_argument_is_passed_on() -> None:
    made = read(function(nodeDef=[{"name": "m", "op": "Prelu", "input": ["a", "a"]}], ret={"r": "m:y:0"}))
    assert attr(made.graph.by_name["m"], "T") == FLOAT


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ({"ret": {"r": "a"}}, "function '': the function has no such tensor (found a)"),
        ({"signature": "f"}, "'signature' is of the wrong kind (found \"f\", expected an object)"),
        ({"signature": {"name": "f", "inputArg": [{}]}}, "function 'f': 'name' is of the wrong kind"),
        (
            {"signature": {"name": "f", "inputArg": [{"name": "a"}]}},
            "function 'f': argument 'a': 'None' is not a dtype",
        ),
        (function(nodeDef=[MUL]), "function 'f': the function has no such tensor (found c:output:0)"),
        (function(ret={"r": "z:y:0"}), "function 'f': the function has no such tensor (found z:y:0)"),
        (function(ret={"r": 1}), "function 'f': a result is of the wrong kind (found 1, expected a string)"),
        (
            function(nodeDef=[{"name": "m", "op": "Neg", "input": ["^a:b:c:d"]}]),
            "function 'f': the function has no such tensor",
        ),
        (
            function(nodeDef=[{"name": "m", "op": "Neg", "input": ["a:1:2:3"]}]),
            "function 'f': the function has no such tensor (found a:1:2:3)",
        ),
        (
            function(
                nodeDef=[{"name": "m", "op": "Neg", "input": ["a"]}, {**MUL, "name": "n", "input": ["a", "m:y:3"]}]
            ),
            "function 'f': node 'n': reads a tensor that no node has (found m:3)",
        ),
    ],
)
def test_what_makes_no_function_is_an_error_with_its_place(entry: Any, error: str) -> None:
    with pytest.raises(ConversionError) as caught:
        read(entry)
    assert str(caught.value).startswith(error)
