"""Configurations of Keras models, from all their writers, become those of Keras 2."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bundler.errors import ConversionError
from bundler.tfjs.configuration import LAYERS, translate

LIST_LAYERS = """
const tf = require(process.argv[1] + '/@tensorflow/tfjs');
const classes = Object.entries(tf.serialization.SerializationMap.getMap().classNameMap);
const layers = classes.filter(([_, [made]]) => made.prototype instanceof tf.layers.Layer);
console.log(JSON.stringify(layers.map(([name]) => name)));
"""


def layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": "y", **config}}


def translated(entry: Mapping[str, Any], version: str = "2.15.0") -> Any:
    """The fields of one layer, translated, less its name."""
    made: Any = translate({"keras_version": version, "model_config": entry})
    return {key: value for key, value in made["config"].items() if key != "name"}


def functional(*layers: Mapping[str, Any], version: str = "3.5.0", **ends: Any) -> Any:
    config = {"name": "m", "layers": list(layers), "input_layers": ["x", 0, 0], "output_layers": ["y", 0, 0], **ends}
    made: Any = translate({"keras_version": version, "model_config": {"class_name": "Functional", "config": config}})
    return made["config"]


def tensor(name: str) -> dict[str, Any]:
    """A tensor as Keras 3 writes it."""
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 3], "dtype": "float32", "keras_history": [name, 0, 0]},
    }


def called(entry: dict[str, Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
    return {**entry, "name": "y", "inbound_nodes": [{"args": list(args), "kwargs": kwargs}]}


def test_the_layers_are_those_of_tensorflowjs(tensorflowjs_modules: Path) -> None:
    told = subprocess.run(
        ["node", "-e", LIST_LAYERS, str(tensorflowjs_modules.resolve())], capture_output=True, text=True, check=True
    )
    lacking = {"RandomWidth", "ConvLSTM2DCell"}  # the one is random, tf_keras does not offer the other
    assert set(json.loads(told.stdout)) == LAYERS | lacking


@pytest.mark.parametrize("kind", ["Lambda", "TFOpLambda", "RandomWidth", "os.system"])
def test_no_other_layer_is_let_through(kind: str) -> None:
    with pytest.raises(ConversionError, match=f"layer 'y': .*found '{kind}'"):
        translate(layer(kind))


@pytest.mark.parametrize("around", ["layer", "cell", "activation", "anything"])
def test_no_other_layer_is_let_through_inside_of_one(around: str) -> None:
    with pytest.raises(ConversionError, match="'Lambda'"):
        translate(layer("Bidirectional", **{around: [layer("Lambda")]}))


def test_where_a_class_comes_from_is_not_passed_on() -> None:
    entry = {
        **layer("Dense", units=3),
        "module": "os",
        "registered_name": "system",
        "build_config": {"input_shape": [3]},
    }
    assert translate(entry).keys() == {"class_name", "config"}


POLICY = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
MIXED = {"class_name": "Policy", "config": {"name": "mixed_float16"}}


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("InputLayer", {"batch_shape": [None, 3], "optional": False}, {"batch_input_shape": [None, 3]}),
        ("Dense", {"dtype": POLICY}, {"dtype": "float32"}),
        ("Dense", {"dtype": MIXED}, {"dtype": "float32"}),
        ("Dense", {"dtype": "mixed_bfloat16"}, {"dtype": "float32"}),
        ("Dense", {"kernel_initializer": layer("Orthogonal")}, {"kernel_initializer": "zeros"}),
        ("Dense", {"kernel_regularizer": layer("L2"), "bias_constraint": None, "seed": 3}, {}),
        ("Dense", {"activation": {"class_name": "function", "config": "relu"}}, {"activation": "relu"}),
        ("Dense", {"activation": "hard_sigmoid"}, {"activation": "keras_3_hard_sigmoid"}),
        ("LeakyReLU", {"negative_slope": 0.1}, {"alpha": 0.1}),
        ("ReLU", {"negative_slope": 0.1}, {"negative_slope": 0.1}),
        ("Resizing", {"height": 2, "antialias": False}, {"height": 2}),
        ("Reshape", {"target_shape": [3, None]}, {"target_shape": [3, -1]}),
        ("RNN", {"cell": layer("GRUCell"), "units": 2}, {"cell": layer("GRUCell")}),
    ],
)
def test_fields_become_those_of_keras_2(kind: str, given: Any, expected: Any) -> None:
    assert translated(layer(kind, **given), version="3.5.0") == expected


@pytest.mark.parametrize("version", ["2.15.0", "tfjs-layers 4.22.0"])
def test_hard_sigmoid_means_what_it_means_to_its_writer(version: str) -> None:
    assert translated(layer("Dense", activation="hard_sigmoid"), version) == {"activation": "hard_sigmoid"}


def test_a_setting_that_keras_2_lacks_is_an_error() -> None:
    with pytest.raises(ConversionError, match="found antialias=True, expected antialias=False"):
        translate(layer("Resizing", antialias=True))


def test_the_first_layer_of_a_sequential_gets_the_shape_that_only_the_model_tells() -> None:
    config = {"name": "m", "layers": [layer("Dense")], "build_input_shape": [None, 3]}
    made: Any = translate({"class_name": "Sequential", "config": config})
    assert made["config"]["layers"][0]["config"]["batch_input_shape"] == [None, 3]


# Which tensor goes where -------------------------------------------------------------------------


@pytest.mark.parametrize("end", [["y", 0, 0], [["y", 0, 0]], {"out": ["y", 0, 0]}], ids=["one", "list", "object"])
def test_the_ends_of_a_model_are_lists(end: Any) -> None:
    assert functional(layer("Add"), output_layers=end)["output_layers"] == [["y", 0, 0]]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([tensor("x")], [[["x", 0, 0, {}]]]),
        ([[tensor("x"), tensor("w")]], [[["x", 0, 0, {}], ["w", 0, 0, {}]]]),
    ],
    ids=["one tensor", "a list of tensors"],
)
def test_a_call_as_keras_3_writes_it(args: Any, expected: Any) -> None:
    made = functional(called(layer("Add"), *args, mask=None))
    assert made["layers"][0]["inbound_nodes"] == expected


def test_tensors_among_the_further_arguments_are_kept() -> None:
    made = functional(called(layer("GRU"), tensor("x"), initial_state=[tensor("h")]))
    assert made["layers"][0]["inbound_nodes"] == [[["x", 0, 0, {"initial_state": [["h", 0, 0]]}]]]


def test_a_call_that_keras_2_cannot_write_is_an_error() -> None:
    with pytest.raises(ConversionError, match="called in a way that Keras 2 cannot write"):
        functional(called(layer("Add"), tensor("x"), tensor("w")))


def test_calls_of_keras_2_stay_as_they_are() -> None:
    entry = {**layer("Add"), "name": "y", "inbound_nodes": [[["x", 0, 0, {"training": False}]]]}
    assert functional(entry, version="2.15.0")["layers"][0]["inbound_nodes"] == entry["inbound_nodes"]


def test_the_first_call_of_a_model_in_a_model_is_its_second_node_to_keras_2() -> None:
    inner = {"class_name": "Sequential", "config": {"name": "inner", "layers": []}}
    entries = [called(inner, tensor("x")) | {"name": "inner"}, called(layer("Dense"), tensor("inner"))]
    made = functional(*entries, output_layers=["inner", 0, 0])
    assert made["layers"][1]["inbound_nodes"] == [[["inner", 1, 0, {}]]]
    assert made["output_layers"] == [["inner", 1, 0]]


@pytest.mark.parametrize(
    "topology",
    [
        {"class_name": "Dense"},
        {"class_name": "Dense", "config": 3},
        {"class_name": 3, "config": {}},
        {"model_config": "x"},
        {"class_name": "Reshape", "config": {"target_shape": 3}},
        {"class_name": "Functional", "config": {"layers": [3]}},
        {"class_name": "Functional", "config": {"layers": [], "input_layers": 3}},
        {"class_name": "Functional", "config": {"layers": [], "input_layers": [["x"]]}},
        {"class_name": "Functional", "config": {"layers": [called(layer("Add"))]}},
        {"class_name": "Functional", "config": {"layers": [called(layer("Add"), 3)]}},
        {"class_name": "Functional", "config": {"layers": [{**layer("Add"), "inbound_nodes": 3}]}},
    ],
    ids=json.dumps,
)
def test_what_no_keras_writes_is_an_error(topology: Any) -> None:
    with pytest.raises(ConversionError):
        translate(topology)
