"""Models as graphs and functions in the caller's own TensorFlow, as callers of the predecessor use them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundler.api as tfjs
from tests.api.conftest import Written
from tests.api.known import MODELS


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("compat", tfjs.CompatMode)
def test_a_session_gives_the_models_numbers(name: str, compat: tfjs.CompatMode, tf: Any, model_dir: Written) -> None:
    known = MODELS[name]
    graph = tfjs.load_graph_model(model_dir(name), compat)
    assert isinstance(graph, tf.Graph)
    with tf.compat.v1.Session(graph=graph) as session:
        session.run(tf.compat.v1.tables_initializer())
        feeds = {graph.get_tensor_by_name(f"{key}:0"): value for key, value in known.feeds.items()}
        answers = session.run(tfjs.get_output_tensors(graph), feed_dict=feeds)
    for answer, expected in zip(answers, known.answers.values(), strict=True):
        np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_a_function_takes_the_inputs_in_order_and_gives_a_list(name: str, tf: Any, model_dir: Written) -> None:
    known = MODELS[name]
    model = tfjs.graph_to_function_v2(tfjs.load_graph_model(model_dir(name)))
    answers = model(*map(tf.constant, known.feeds.values()))
    assert isinstance(answers, list)
    for answer, expected in zip(answers, known.answers.values(), strict=True):
        np.testing.assert_allclose(answer.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_a_function_takes_several_inputs_in_one(tf: Any, model_dir: Written) -> None:
    known = MODELS["two_inputs"]
    model = tfjs.graph_to_function_v2(tfjs.load_graph_model(model_dir("two_inputs")).as_graph_def())
    a, b = known.feeds.values()
    for given in (tf.stack([a, b]), [a, b], (tf.constant(a), b)):
        np.testing.assert_allclose(model(given)[0].numpy(), known.answers["Identity"], rtol=1e-6)


def test_a_function_takes_inputs_by_name_and_as_lists_of_numbers(model_dir: Written) -> None:
    model = tfjs.graph_to_function_v2(tfjs.load_graph_model(model_dir("two_inputs")))
    assert model(b=[[1, 2, 3]], a=[[7, 7, 7]])[0].numpy().tolist() == [[5, 3, 1]]
    assert model([[7, 7, 7]], b=np.array([[1, 2, 3]]))[0].numpy().tolist() == [[5, 3, 1]]
    assert [tensor.name for tensor in model.inputs] == ["a:0", "b:0"]


def test_a_function_takes_integers_for_floats_as_the_api_page_shows(tf: Any, model_dir: Written) -> None:
    model = tfjs.graph_to_function_v2(tfjs.load_graph_model(model_dir("simple")))
    assert model(tf.constant([[16]]))[0].numpy().tolist() == [[80]]


@pytest.mark.parametrize(("given", "named"), [((), {}), (([1], [2], [3]), {}), (([1],), {"c": [2]}), ((), {"a": [1]})])
def test_a_function_says_which_inputs_it_has(given: Any, named: Any, model_dir: Written) -> None:
    model = tfjs.graph_to_function_v2(tfjs.load_graph_model(model_dir("two_inputs")))
    with pytest.raises(TypeError, match="the model's inputs are a, b"):
        model(*given, **named)


def test_inputs_and_outputs_of_a_graph_and_of_its_message_are_the_same(model_dir: Written) -> None:
    graph = tfjs.load_graph_model(model_dir("two_inputs"))
    for given in (graph, graph.as_graph_def()):
        assert tfjs.get_input_nodes(given) == [
            tfjs.NodeInfo("a", [None, 3], np.float32, "a:0"),
            tfjs.NodeInfo("b", [None, 3], np.float32, "b:0"),
        ]
        assert tfjs.get_output_nodes(given) == [tfjs.NodeInfo("Identity", [], np.float32, "Identity:0")]
        assert tfjs.get_input_tensors(given) == ["a:0", "b:0"]
        assert tfjs.get_output_tensors(given) == ["Identity:0"]


@pytest.mark.parametrize("name", MODELS)
def test_inputs_and_outputs_are_those_of_the_model(name: str, model_dir: Written) -> None:
    graph = tfjs.load_graph_model(model_dir(name))
    assert [info.name for info in tfjs.get_input_nodes(graph)] == list(MODELS[name].feeds)
    assert [info.name for info in tfjs.get_output_nodes(graph)] == list(MODELS[name].answers)


def test_a_node_that_is_read_by_port_or_by_control_edge_is_no_output() -> None:
    graph = tfjs.GraphDef()
    for name, op, inputs in [
        ("x", "Placeholder", []),
        ("y", "Split", ["x"]),
        ("z", "Neg", ["y:1"]),
        ("w", "Abs", ["x", "^z"]),
    ]:
        graph.node.add(name=name, op=op, input=inputs)
    assert tfjs.get_output_tensors(graph) == ["w:0"]


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("prelu", {"input_vector": ("input_vector:0", (-1, 7))}, {"Identity": ("Identity:0", (-1, 1))}),
        ("simple", {"x": ("x:0", (-1, 1))}, {"Identity": ("Identity:0", (-1, 1))}),
        ("two_inputs", {"a": ("a:0", (-1, 3)), "b": ("b:0", (-1, 3))}, {"Identity": ("Identity:0", (-1, 3))}),
    ],
    ids=["from the metadata", "completed from the graph", "by the names of nodes"],
)
def test_a_signature_comes_with_the_graph(name: str, inputs: Any, outputs: Any, tf: Any, model_dir: Written) -> None:
    graph, signature = tfjs.load_graph_model_and_signature(model_dir(name))
    for found in (signature, tfjs.infer_signature(graph)):
        assert isinstance(found, tfjs.SignatureDef)
        assert tf.compat.v1.saved_model.is_valid_signature(found)
        assert described(found.inputs) == inputs
        assert described(found.outputs) == outputs


def described(side: Any) -> dict[str, tuple[str, tuple[int, ...]]]:
    assert all(info.dtype == 1 for info in side.values())
    return {key: (info.name, tuple(dim.size for dim in info.tensor_shape.dim)) for key, info in side.items()}


def test_a_graph_without_outputs_has_no_signature(tf: Any) -> None:
    assert tfjs.infer_signature(tf.Graph()) is None


def test_a_frozen_graph_loads_as_the_api_page_shows(tmp_path: Path, tf: Any, model_dir: Written) -> None:
    path = str(tmp_path / "two heads.pb")
    assert tfjs.graph_model_to_frozen_graph(model_dir("multi_head"), path) == path
    graph_def = tfjs.GraphDef()
    with open(path, "rb") as file:
        graph_def.ParseFromString(file.read())
    graph = tfjs.graph_def_to_graph_v1(graph_def)
    known = MODELS["multi_head"]
    with tf.compat.v1.Session(graph=graph) as session:
        answers = session.run(tfjs.get_output_tensors(graph), feed_dict={"x:0": known.feeds["x"]})
    for answer, expected in zip(answers, known.answers.values(), strict=True):
        np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-6)


def test_a_model_file_of_any_name_and_a_path_object_are_taken(tmp_path: Path, model_dir: Written) -> None:
    shutil.copytree(model_dir("simple"), tmp_path / "a folder")
    (tmp_path / "a folder" / "model.json").rename(tmp_path / "a folder" / "other name.json")
    path = tmp_path / "a folder" / "other name.json"
    assert tfjs.get_input_tensors(tfjs.load_graph_model(str(path))) == ["x:0"]
    assert tfjs.get_input_tensors(tfjs.load_graph_model(path)) == ["x:0"]  # type: ignore[arg-type]


# What is refused ----------------------------------------------------------------------------------


def edited(source: str, folder: Path, **changes: Any) -> str:
    """A copy of a model with other entries in its document; None takes one away."""
    shutil.copytree(source, folder)
    path = folder / "model.json"
    document = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))
    return str(folder)


def test_a_model_that_is_not_there_is_a_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such file or folder"):
        tfjs.load_graph_model(str(tmp_path / "nothing"))


def test_a_model_without_topology_is_a_value_error(tmp_path: Path, model_dir: Written) -> None:
    with pytest.raises(ValueError, match="no model of TensorFlow.js"):
        tfjs.load_graph_model(edited(model_dir("simple"), tmp_path / "copy", modelTopology=None))


def test_an_op_that_cannot_be_imported_is_a_value_error(tmp_path: Path, model_dir: Written) -> None:
    topology = {"node": [{"name": "x", "op": "ReadFile", "input": ["name"]}, {"name": "name", "op": "Placeholder"}]}
    folder = edited(
        model_dir("simple"), tmp_path / "copy", modelTopology=topology, weightsManifest=[], userDefinedMetadata={}
    )
    with pytest.raises(tfjs.InputError, match="ReadFile"):
        tfjs.load_graph_model(folder)


def test_a_layers_model_that_cannot_be_converted_is_a_format_error(tmp_path: Path, model_dir: Written) -> None:
    config = {"name": "m", "layers": [{"class_name": "Lambda", "config": {"name": "sly"}}]}
    topology = {"model_config": {"class_name": "Sequential", "config": config}}
    folder = edited(model_dir("simple"), tmp_path / "copy", modelTopology=topology, format="layers-model")
    with pytest.raises(tfjs.ModelFormatError, match="layer 'sly': .*found 'Lambda'") as raised:
        tfjs.load_graph_model(folder)
    assert raised.value.format == "layers-model"


def test_another_format_is_a_format_error_that_names_it(tmp_path: Path, model_dir: Written) -> None:
    folder = edited(model_dir("simple"), tmp_path / "copy", modelTopology={"a": 1}, format="other-model")
    with pytest.raises(tfjs.ModelFormatError) as raised:
        tfjs.load_graph_model_and_signature(folder)
    assert raised.value.format == "other-model"
    assert "no model of TensorFlow.js" in raised.value.message
    assert not isinstance(raised.value, ValueError)
