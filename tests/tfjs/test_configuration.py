"""Configurations of Keras models, from all their writers, become typed descriptions, and only what is typed does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bundler.errors import ConversionError
from bundler.tfjs.layers.configuration import LAYERS, translate
from bundler.tfjs.layers.description import Call, Layer, Slice, Tensor

LIST_LAYERS = """
const tf = require(process.argv[1] + '/@tensorflow/tfjs');
const classes = Object.entries(tf.serialization.SerializationMap.getMap().classNameMap);
const layers = classes.filter(([_, [made]]) => made.prototype instanceof tf.layers.Layer);
console.log(JSON.stringify(layers.map(([name]) => name)));
"""


def layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": "y", **config}}


def sequential(*layers: Any, version: str = "2.15.0", **config: Any) -> Any:
    """The layers of a Sequential, read."""
    model = {"class_name": "Sequential", "config": {"name": "m", "layers": list(layers), **config}}
    return translate({"keras_version": version, "model_config": model}).layers


def read(entry: Mapping[str, Any], version: str = "2.15.0") -> Any:
    return sequential(entry, version=version)[0]


def functional(*layers: Mapping[str, Any], version: str = "3.5.0", **ends: Any) -> Any:
    """A model of two inputs, `x` and `w`, and these layers."""
    inputs = [{**layer("InputLayer", name=name), "name": name, "inbound_nodes": []} for name in "xw"]
    given = {"input_layers": ["x", 0, 0], "output_layers": ["y", 0, 0], **ends}
    config = {"name": "m", "layers": [*inputs, *layers], **given}
    return translate({"keras_version": version, "model_config": {"class_name": "Functional", "config": config}})


def tensor(name: str, node: int = 0) -> dict[str, Any]:
    """A tensor as Keras 3 writes it."""
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 3], "dtype": "float32", "keras_history": [name, node, 0]},
    }


def called(entry: dict[str, Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
    return {**entry, "name": "y", "inbound_nodes": [{"args": list(args), "kwargs": kwargs}]}


def test_all_layers_of_tensorflowjs_can_be_imported_but_one(tensorflowjs_modules: Path) -> None:
    listed = subprocess.run(
        ["node", "-e", LIST_LAYERS, str(tensorflowjs_modules.resolve())], capture_output=True, text=True, check=True
    )
    assert set(json.loads(listed.stdout)) - LAYERS == {"RandomWidth"}, "it gives another width each time"


@pytest.mark.parametrize("kind", ["Lambda", "TFOpLambda", "RandomWidth", "os.system", "", None, ["Dense"]])
def test_no_other_layer_is_let_through(kind: Any) -> None:
    with pytest.raises(ConversionError, match="layer 'y': Keras layers of this kind cannot be imported"):
        read(layer(kind))


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("Bidirectional", "layer"),
        ("Bidirectional", "backward_layer"),
        ("TimeDistributed", "layer"),
        ("RNN", "cell"),
        ("Dense", "activation"),
    ],
)
def test_no_other_layer_is_let_through_inside_of_one(kind: str, field: str) -> None:
    fitting = {"Bidirectional": {"layer": layer("GRU", units=2)}, "Dense": {"units": 2}}.get(kind, {})
    with pytest.raises(ConversionError, match="'Lambda'"):
        read(layer(kind, **{**fitting, field: layer("Lambda")}))


def test_a_layer_inside_of_another_is_of_the_kinds_that_fit_there() -> None:
    with pytest.raises(ConversionError, match="found 'Dense', expected one of ConvLSTM1D, ConvLSTM2D, ConvLSTM3D, GRU"):
        read(layer("Bidirectional", layer=layer("Dense", units=2)))


def test_where_a_class_comes_from_is_not_read() -> None:
    plain = layer("Dense", units=3)
    entry = {**plain, "module": "os", "registered_name": "system", "build_config": {"input_shape": [3]}}
    assert read(entry) == read(plain)


def test_a_layer_has_all_options_of_its_kind() -> None:
    assert read(layer("Dense", units=3)) == Layer(
        kind="Dense",
        name="y",
        dtype="float32",
        shape=None,
        options={"units": 3, "activation": "linear", "use_bias": True},
    )


POLICY = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
MIXED = {"class_name": "Policy", "config": {"name": "mixed_float16"}}


@pytest.mark.parametrize("dtype", [POLICY, MIXED, "mixed_bfloat16", "float32", None])
def test_tensorflowjs_computes_in_float32_whatever_the_policy(dtype: object) -> None:
    assert read(layer("Dense", units=3, dtype=dtype)).dtype == "float32"


@pytest.mark.parametrize("field", ["batch_shape", "batch_input_shape"])
def test_a_shape_has_a_name_in_keras_3_and_another_in_keras_2(field: str) -> None:
    assert read(layer("InputLayer", **{field: [None, 3], "optional": False})).shape == (None, 3)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("Dense", {"units": 2, "kernel_initializer": layer("Orthogonal")}, {"units": 2}),
        ("Dense", {"units": 2, "kernel_regularizer": layer("L2"), "bias_constraint": None, "seed": 3}, {"units": 2}),
        ("Dense", {"units": 2, "activation": {"class_name": "function", "config": "relu"}}, {"activation": "relu"}),
        ("Dense", {"units": 2, "activation": "hard_sigmoid"}, {"activation": "hard_sigmoid"}),
        ("LeakyReLU", {"negative_slope": 0.1}, {"alpha": 0.1}),
        ("ReLU", {"negative_slope": 0.1}, {"negative_slope": 0.1}),
        ("Resizing", {"height": 2, "width": 3, "antialias": False}, {"height": 2}),
        ("Reshape", {"target_shape": [3, None]}, {"target_shape": (3, -1)}),
        ("Conv2D", {"filters": 2, "kernel_size": 3}, {"kernel_size": (3, 3), "strides": (1, 1), "padding": "valid"}),
        (
            "Conv2D",
            {"filters": 2, "kernel_size": [3, 1], "padding": "SAME"},
            {"kernel_size": (3, 1), "padding": "same"},
        ),
        ("Cropping2D", {"cropping": [[1, 2], [0, 3]]}, {"cropping": ((1, 2), (0, 3))}),
        ("Cropping2D", {"cropping": [1, 2]}, {"cropping": ((1, 1), (2, 2))}),
        ("LSTM", {"units": 2, "unit_forget_bias": None, "implementation": 0}, {"unit_forget_bias": True}),
        ("Bidirectional", {"layer": layer("GRU", units=2), "merge_mode": None}, {"merge_mode": None}),
        ("Bidirectional", {"layer": layer("GRU", units=2)}, {"merge_mode": "concat", "backward_layer": None}),
    ],
)
def test_fields_become_options(kind: str, given: Any, expected: Any) -> None:
    options = read(layer(kind, **given), version="3.5.0").options
    assert {key: options[key] for key in expected} == expected


def test_an_rnn_from_javascript_has_the_fields_of_its_cell_besides() -> None:
    made = read(layer("RNN", cell=layer("GRUCell", units=2), units=2, reset_after=None))
    assert made.options["cell"].options["units"] == 2
    assert "units" not in made.options


def test_a_layer_may_stand_for_an_activation() -> None:
    made = read(layer("Dense", units=2, activation=layer("LeakyReLU", alpha=0.2))).options["activation"]
    assert (made.kind, made.options) == ("LeakyReLU", {"alpha": 0.2})


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("Resizing", {"height": 2, "width": 2, "antialias": True}, "found antialias=true, expected antialias=false"),
        ("LSTM", {"units": 2, "num_constants": 1}, "found num_constants=1, expected num_constants=0"),
        ("InputLayer", {"sparse": True}, "found sparse=true, expected sparse=false"),
        ("Conv3DTranspose", {"filters": 2, "kernel_size": 2, "dilation_rate": [1, 2, 1]}, "found dilation_rate=a list"),
    ],
)
def test_a_setting_that_cannot_be_imported_is_an_error(kind: str, given: Any, words: str) -> None:
    with pytest.raises(ConversionError, match=words):
        read(layer(kind, **given))


def test_a_field_that_the_layer_does_not_have_is_an_error_that_names_both() -> None:
    with pytest.raises(ConversionError, match="layer 'y': Dense has an unknown field .found 'unitz'") as caught:
        read(layer("Dense", units=3, unitz=4))
    assert caught.value.faults[0].hint == "did you mean 'units'?"


HUGE = 10**5000


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("Dense", {}, "'units': .*found null, expected an integer from 1 to 2147483647"),
        ("Dense", {"units": "3"}, "'units': .*found '3'"),
        ("Dense", {"units": True}, "'units': .*found true"),
        ("Dense", {"units": 2.5}, "'units': .*found 2.5"),
        ("Dense", {"units": 0}, "'units': .*found 0"),
        ("Dense", {"units": HUGE}, "'units': .*found a number of 16610 bits"),
        ("Dense", {"units": float("nan")}, "'units': .*found nan"),
        ("Dense", {"units": {"class_name": "Lambda"}}, "'units': .*found an object of 1"),
        ("Dense", {"units": 2, "use_bias": 1}, "'use_bias': .*expected true or false"),
        ("Dense", {"units": 2, "activation": "serialize"}, "'activation': .*found 'serialize'"),
        ("Dense", {"units": 2, "activation": "rellu"}, "'activation': .*found 'rellu'"),
        ("Dense", {"units": 2, "name": "a\0b"}, "'name': .*printable"),
        ("Dense", {"units": 2, "name": "x" * 256}, "'name': .*printable"),
        ("Dense", {"units": 2, "name": "\ud800"}, "'name': .*printable"),
        ("Dense", {"units": 2, "name": ["y"]}, "'name': .*found a list of 1"),
        ("Dense", {"units": 2, "dtype": "resource"}, "'dtype': .*found 'resource'"),
        ("Dense", {"units": 2, "dtype": {"config": {"name": layer("Sequential")}}}, "'dtype': .*found an object of 2"),
        ("Dense", {"units": 2, "batch_input_shape": [None, -3]}, "'batch_input_shape': .*found -3"),
        ("Dense", {"units": 2, "batch_input_shape": [1] * 17}, "'batch_input_shape': .*found a list of 17"),
        ("Dense", {"units": 2, "batch_input_shape": [None, 2**16, 2**15]}, "a shape of at most 2147483647 elements"),
        ("Conv2D", {"filters": 2, "kernel_size": [1, 1, 1]}, "'kernel_size': .*expected 2 integers"),
        ("LeakyReLU", {"alpha": float("inf")}, "'alpha': .*found inf"),
        ("LeakyReLU", {"alpha": HUGE}, "'alpha': .*expected a finite number"),
        ("Softmax", {"axis": 99}, "'axis': .*found 99, expected an integer from -16 to 16"),
        (
            "Bidirectional",
            {"layer": layer("GRU", units=2), "merge_mode": "mix"},
            "expected concat, sum, mul, ave or null",
        ),
    ],
)
def test_a_value_of_the_wrong_type_or_size_is_an_error_that_names_its_field(kind: str, given: Any, words: str) -> None:
    with pytest.raises(ConversionError, match=words):
        read(layer(kind, **given))


def test_layers_are_nested_so_deep_and_no_deeper() -> None:
    def nested(depth: int) -> Any:
        entry = layer("Dense", units=2)
        for _ in range(depth):
            entry = layer("TimeDistributed", layer=entry)
        return entry

    assert read(nested(15))
    with pytest.raises(ConversionError, match="nested too deep"):
        read(nested(400))


def test_a_sequential_of_old_has_a_list_for_its_configuration() -> None:
    made = translate({"class_name": "Sequential", "config": [layer("Dense", units=3)]})
    assert [part.name for part in made.layers] == ["y"]


def test_the_first_layer_of_a_sequential_gets_the_shape_that_only_the_model_has() -> None:
    first, second = sequential(layer("Dense", units=2), layer("Dense", units=2, name="z"), build_input_shape=[None, 3])
    assert (first.shape, second.shape) == ((None, 3), None)


def test_two_layers_of_one_name_are_an_error() -> None:
    with pytest.raises(ConversionError, match="same name .found 'y'"):
        sequential(layer("Dense", units=2), layer("Dense", units=2))


# Which tensor goes where -------------------------------------------------------------------------

X, W = Tensor("x", 0, 0), Tensor("w", 0, 0)


@pytest.mark.parametrize("end", [["y", 0, 0], [["y", 0, 0]], {"out": ["y", 0, 0]}], ids=["one", "list", "object"])
def test_the_ends_of_a_model_are_tensors(end: Any) -> None:
    assert functional(called(layer("Add"), tensor("x")), output_layers=end).outputs == (Tensor("y", 0, 0),)


@pytest.mark.parametrize(
    ("args", "expected"),
    [([tensor("x")], (X,)), ([[tensor("x"), tensor("w")]], (X, W))],
    ids=["one tensor", "a list of tensors"],
)
def test_a_call_as_keras_3_writes_it(args: Any, expected: Any) -> None:
    assert functional(called(layer("Add"), *args, mask=None)).calls == (Call("y", expected),)


def test_tensors_among_the_further_arguments_are_kept() -> None:
    made = functional(called(layer("GRU", units=2), tensor("x"), initial_state=[tensor("w")]))
    assert made.calls == (Call("y", (X,), {"initial_state": (W,)}),)


def slice_of(start: Any, stop: Any) -> dict[str, Any]:
    return {"class_name": "__slice__", "config": {"start": start, "stop": stop, "step": None}}


@pytest.mark.parametrize(
    ("kind", "args", "inputs"),
    [
        ("Add", [tensor("x"), tensor("w")], (X, W)),
        ("NotEqual", [tensor("x"), 0], (X, 0)),
        ("TrueDivide", [0.5, tensor("x")], (0.5, X)),
        ("GetItem", [tensor("x"), [slice_of(None, None), -1]], (X, (Slice(None, None, None), -1))),
        ("GetItem", [tensor("x"), [{"class_name": "__ellipsis__"}, None]], (X, (..., None))),
    ],
)
def test_an_operator_of_keras_3_takes_numbers_and_indices(kind: str, args: Any, inputs: Any) -> None:
    entry = {"class_name": kind, "config": {"name": "y"}}
    made = functional(called(entry, *args))
    assert made.calls == (Call("y", inputs),)
    assert made.layers[-1].kind == f"ops.{kind}"


def test_a_layer_is_called_with_a_list_if_an_operator_has_its_name() -> None:
    assert functional(called(layer("Add"), [tensor("x"), tensor("w")])).layers[-1].kind == "Add"


def test_only_keras_3_has_operators() -> None:
    with pytest.raises(ConversionError, match="found 'NotEqual'"):
        read({"class_name": "NotEqual", "config": {"name": "y"}})


def test_a_call_as_keras_2_writes_it() -> None:
    nodes = [[["x", 0, 0, {}], ["w", 0, 0, {"training": False, "mask": ["x", 0, 0]}]]]
    made = functional({**layer("Add"), "name": "y", "inbound_nodes": nodes}, version="2.15.0")
    assert made.calls == (Call("y", (X, W), {"training": False, "mask": X}),)


@pytest.mark.parametrize(("version", "node"), [("2.15.0", 1), ("tfjs-layers 4.22.0", 1), ("3.5.0", 0)])
def test_calls_are_counted_from_0_whoever_counts_the_models_own_outputs(version: str, node: int) -> None:
    inner = {"class_name": "Sequential", "config": {"name": "inner", "layers": [layer("Embedding", **EMBEDDED)]}}
    entries = [called(inner, tensor("x")) | {"name": "inner"}, called(layer("Flatten"), tensor("inner", node))]
    made = functional(*entries, output_layers=["inner", node, 0], version=version)
    assert made.calls == (Call("inner", (X,)), Call("y", (Tensor("inner", 0, 0),)))
    assert made.outputs == (Tensor("inner", 0, 0),)


EMBEDDED = {"input_dim": 2, "output_dim": 3}


def nodes(*points: Any) -> Any:
    return {**layer("Flatten"), "name": "y", "inbound_nodes": [[list(point)] for point in points]}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (nodes(["y", 0, 0]), "calls of layers wait for each other"),
        (nodes(["y", 1, 0], ["x", 0, 0]), "calls of layers wait for each other"),
        (nodes(["y", 3, 0]), "a tensor of a call that is not there .found 'y', call 3"),
        (nodes(["z", 0, 0]), "a layer that the model does not have .found 'z'"),
        (nodes(["_CONSTANT_VALUE", -1, 4]), "expected an integer from 0"),
        (nodes(["x", 0, -1]), "expected an integer from 0"),
        (nodes(["x", 0, 10**9]), "expected an integer from 0"),
        (nodes(["x", 0, 0, {"code": 3}]), "found 'code', expected training, "),
        (nodes(["x", 0, 0, {"training": layer("Sequential")}]), "'training': .*expected true or false"),
        (nodes(["x", 0, 0, {"mask": layer("Sequential")}]), "'mask': .*expected a list"),
        (nodes(["x", 0, layer("Sequential")]), "found an object of 2"),
        (
            {**layer("Flatten"), "name": "y", "inbound_nodes": [{"args": [tensor("x")], "kwargs": {"k": 1}}]},
            "found 'k'",
        ),
    ],
)
def test_connections_that_make_no_graph_are_an_error(entry: Any, words: str) -> None:
    with pytest.raises(ConversionError, match=words):
        functional(entry, version="2.15.0")


@pytest.mark.parametrize(
    "topology",
    [
        {"class_name": "Dense"},
        {"class_name": "Dense", "config": 3},
        {"class_name": "Dense", "config": {"units": 3}},
        {"class_name": 3, "config": {}},
        {"model_config": "x"},
        {"class_name": "Sequential", "config": {}},
        {"class_name": "Sequential", "config": {"layers": [], "code": 3}},
        {"class_name": "Sequential", "config": {"layers": [{**layer("Add"), "code": 3}]}},
        {"class_name": "Functional", "config": {"layers": [3]}},
        {"class_name": "Functional", "config": {"layers": [{"class_name": "Add", "config": {}}]}},
        {"class_name": "Functional", "config": {"layers": [], "input_layers": 3}},
        {"class_name": "Functional", "config": {"layers": [], "input_layers": [], "output_layers": []}},
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
