"""Layers models become graphs: names, weights, shapes, loops, and errors that name the layer."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any

import pytest

from bundler.drafting import library
from bundler.drafting.loops import loop
from bundler.drafting.value import Value, broadcast
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import show
from bundler.tfjs.layers.configuration import translate
from bundler.tfjs.layers.graph.library import Library
from bundler.tfjs.layers.graph.scope import Scope
from bundler.tfjs.layers.graph.walk import Built, build
from bundler.tfjs.layers.kinds import LAYERS
from bundler.tfjs.layers.operators import OPERATORS, operator_kind
from bundler.tfjs.layers.options import KINDS
from bundler.tfjs.layers.origins import JAVASCRIPT, KERAS_2, KERAS_3, Origin, origin_of

MANY = 10**6


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": name, **config}}


def made(*layers: Any, origin: Origin = KERAS_2, elements: int = MANY, shape: Any = (None, 4)) -> Built:
    """The graph of a Sequential that begins with an input of this shape."""
    first = layer("InputLayer", "x", batch_input_shape=list(shape))
    config = {"name": "m", "layers": [first, *layers]}
    return build(translate({"model_config": {"class_name": "Sequential", "config": config}}), origin, elements)


def functional(layers: Mapping[str, Any], calls: Mapping[str, Any], outputs: Any, origin: Origin = KERAS_2) -> Built:
    """The graph of a model of one input `x`; `calls` are the nodes of each layer by its name."""
    entries = [{**layer("InputLayer", "x", batch_input_shape=[None, 4]), "name": "x", "inbound_nodes": []}]
    entries += [{**entry, "name": name, "inbound_nodes": calls[name]} for name, entry in layers.items()]
    config = {"name": "m", "layers": entries, "input_layers": [["x", 0, 0]], "output_layers": outputs}
    return build(translate({"model_config": {"class_name": "Functional", "config": config}}), origin, MANY)


def dense(name: str, units: int = 4, **config: Any) -> dict[str, Any]:
    return layer("Dense", name, units=units, **config)


def spelled(built: Built) -> list[str]:
    return [show(node) for node in built.nodes]


# Names, weights, shapes --------------------------------------------------------------------------


def test_nodes_and_weights_have_the_names_of_their_layers() -> None:
    assert spelled(made(dense("top", activation="relu"))) == [
        "x = Placeholder()",
        "top/kernel = Const()",
        "top/MatMul = MatMul(x, top/kernel)",
        "top/bias = Const()",
        "top/BiasAdd = BiasAdd(top/MatMul, top/bias)",
        "top/Relu = Relu(top/BiasAdd)",
    ]


def test_a_layer_that_is_called_twice_has_its_weights_once() -> None:
    points = [["x", 0, 0]], [["d", 0, 0]]
    built = functional({"d": dense("d", use_bias=False)}, {"d": [[point[0]] for point in points]}, [["d", 1, 0]])
    assert spelled(built)[1:] == [
        "d/kernel = Const()",
        "d/MatMul = MatMul(x, d/kernel)",
        "d/MatMul_1 = MatMul(d/MatMul, d/kernel)",
    ]


def test_layers_of_a_model_in_a_model_have_its_name_before_theirs() -> None:
    inner = {"class_name": "Sequential", "config": {"name": "inner", "layers": [dense("d")]}}
    built = made(inner)
    assert [variable.name for variable in built.variables] == ["d/kernel", "d/bias"]
    assert [variable.node for variable in built.variables] == ["inner/d/kernel", "inner/d/bias"]


def test_what_no_output_needs_is_not_written_and_needs_no_weights() -> None:
    calls = {name: [[["x", 0, 0]]] for name in ("used", "spare")}
    built = functional({name: dense(name) for name in calls}, calls, [["used", 0, 0]])
    assert {variable.layer for variable in built.variables} == {"used"}


def test_calls_stand_in_tensorflowjs_order() -> None:
    """What the first output needs stands first, and of the inputs of a call the last."""
    layers = {name: layer("Add" if name == "add" else "ReLU", name) for name in ("other", "left", "right", "add")}
    calls = {name: [[["x", 0, 0]]] for name in ("left", "right", "other")}
    calls["add"] = [[["left", 0, 0], ["right", 0, 0]]]
    built = functional(layers, calls, [["add", 0, 0], ["other", 0, 0]])
    assert [node.name for node in built.nodes] == ["x", "right/Relu", "left/Relu", "add/AddV2", "other/Relu"]


def test_the_signature_has_the_shapes_that_are_known() -> None:
    built = made(layer("Conv2D", "c", filters=3, kernel_size=2, strides=2), shape=(None, 9, None, 4))
    assert built.signature.inputs["x"].shape == (None, 9, None, 4)
    assert built.signature.outputs["c"].shape == (None, 4, None, 3)


@pytest.mark.parametrize(
    ("origin", "name"), [(KERAS_2, "inner_input"), (KERAS_3, "inner_input"), (JAVASCRIPT, "input1")]
)
def test_the_input_of_a_model_that_begins_a_model_has_its_origins_name(origin: Origin, name: str) -> None:
    first = {**layer("InputLayer", "input1", batch_input_shape=[None, 4])}
    inner = {"class_name": "Sequential", "config": {"name": "inner", "layers": [first, dense("d")]}}
    config = {"name": "m", "layers": [inner, dense("e")]}
    built = build(translate({"model_config": {"class_name": "Sequential", "config": config}}), origin, MANY)
    assert list(built.signature.inputs) == [name]
    assert list(built.signature.outputs) == ["e"]


@pytest.mark.parametrize(
    ("version", "origin"),
    [("2.15.0", KERAS_2), ("3.5.0", KERAS_3), ("tfjs-layers 4.22.0", JAVASCRIPT), (None, KERAS_2), (3, KERAS_2)],
)
def test_the_version_of_keras_decides_the_origin(version: object, origin: Origin) -> None:
    assert origin_of({"keras_version": version}) is origin


# The table ---------------------------------------------------------------------------------------

OPTIONS = {**KINDS, **{operator_kind(name): options for name, options in OPERATORS.items()}}


def test_every_kind_that_has_options_is_a_layer_and_every_layer_has_options() -> None:
    assert OPTIONS.keys() == LAYERS.keys()


@pytest.mark.parametrize("kind", LAYERS)
def test_each_layer_takes_the_options_of_its_kind(kind: str) -> None:
    _, *parameters = signature(LAYERS[kind]).parameters.values()
    named = {each.name: each for each in parameters if each.kind == Parameter.KEYWORD_ONLY}
    takes_others = any(each.kind == Parameter.VAR_KEYWORD for each in parameters)
    assert {name for name, each in named.items() if each.default is Parameter.empty} <= OPTIONS[kind].keys()
    assert takes_others or OPTIONS[kind].keys() <= named.keys()


# Loops -------------------------------------------------------------------------------------------


def scope_of_input(shape: tuple[int | None, ...]) -> tuple[Scope, Value]:
    made = Library(KERAS_2, MANY, lambda *_: ())
    scope = Scope(made, made.main, layer="l")
    return scope, Value("x", shape, DType.float32, made.main)


def test_a_loop_takes_what_its_functions_read_of_the_graph_around() -> None:
    scope, x = scope_of_input((None, 3))
    factor = scope.weight("factor", (3,))
    count = scope.constant(0)

    def goes_on(inner: Scope, variables: tuple[Value, ...]) -> tuple[Value, ...]:
        return (inner.op("Less", variables[0], 5),)

    def turn(inner: Scope, variables: tuple[Value, ...]) -> tuple[Value, ...]:
        return inner.op("AddV2", variables[0], 1), inner.op("Mul", variables[1], factor)

    steps, result = loop(scope, [count, x], goes_on, turn)
    (node,) = (node for node in scope.sketch.nodes if node.op == "StatelessWhile")
    assert show(node) == "l/While = StatelessWhile(l/Const, x, l/factor)"
    assert (steps.reference, result.reference, result.shape) == ("l/While", "l/While:1", (None, 3))
    body = scope.library.functions[node.attr["body"].func.name]
    assert [show(node) for node in body.graph.nodes if node.op != "Const"] == [
        "l/AddV2 = AddV2(variable_0, l/AddV2/number)",
        "l/Mul = Mul(variable_1, captured)",
    ]
    assert {name: str(tensor) for name, tensor in body.returns.items()} == {
        "result_0": "l/AddV2",
        "result_1": "l/Mul",
        "result_2": "captured",
    }


def test_a_variable_of_a_loop_keeps_its_shape() -> None:
    scope, x = scope_of_input((2, 3))

    def grow(inner: Scope, variables: tuple[Value, ...]) -> tuple[Value, ...]:
        return (inner.op("ExpandDims", variables[0], inner.constant(0), shape=(1, 2, 3)),)

    with pytest.raises(
        ConversionError, match=r"changes its shape .*found float32 \[1, 2, 3\], expected float32 \[2, 3\]"
    ):
        loop(scope, [x], lambda inner, _: (inner.constant(True),), grow)


# Errors ------------------------------------------------------------------------------------------

IMAGE, SERIES = (None, 6, 5, 4), (None, 6, 4)


@pytest.mark.parametrize(
    ("shape", "entry", "words"),
    [
        (IMAGE, layer("Conv1D", "l", filters=1, kernel_size=1), r"found \[\?, 6, 5, 4\], expected 3 dimensions"),
        (
            IMAGE,
            layer("Conv2D", "l", filters=1, kernel_size=7),
            r"small .found \[6, 5\], expected at least \[7, 7\]",
        ),
        (IMAGE, layer("Conv2D", "l", filters=2, kernel_size=1, groups=3), "groups do not divide"),
        ((None, 6, 5, None), layer("Conv2D", "l", filters=2, kernel_size=1), "a size of its input that is unknown"),
        (IMAGE, layer("Conv2DTranspose", "l", filters=1, kernel_size=2, output_padding=5), "an impossible size"),
        (IMAGE, layer("MaxPooling2D", "l", pool_size=9), "too small"),
        (IMAGE, layer("Cropping2D", "l", cropping=3), "leaves nothing of the image"),
        (IMAGE, layer("UpSampling2D", "l", interpolation="bicubic"), "found bicubic, expected nearest or bilinear"),
        (SERIES, layer("Reshape", "l", target_shape=[5, -1]), r"does not fit its shape .found \[\?, 6, 4\]"),
        (SERIES, layer("Reshape", "l", target_shape=[-1, -1]), "does not fit its shape"),
        (SERIES, layer("Permute", "l", dims=[1, 1]), "the axes are not in an order"),
        (SERIES, layer("RepeatVector", "l", n=2), "expected 2 dimensions"),
        (SERIES, layer("BatchNormalization", "l", axis=3), "no such axis .found 3, expected from -3 to 2"),
        (SERIES, layer("LayerNormalization", "l", axis=[1, 1]), "names an axis twice"),
        (SERIES, layer("GroupNormalization", "l", groups=3), "groups do not divide"),
        (SERIES, layer("Softmax", "l", axis=5), "no such axis"),
        (SERIES, layer("Dot", "l", axes=1), "a wrong number of inputs"),
        (SERIES, layer("EinsumDense", "l", equation="ab,bc->ac", output_shape=3), "equation does not fit"),
        (SERIES, layer("MultiHeadAttention", "l", num_heads=2, key_dim=2), "a wrong number of inputs"),
    ],
    ids=lambda value: value["class_name"] if isinstance(value, dict) else "",
)
def test_an_input_that_a_layer_does_not_take_is_an_error(shape: Any, entry: Any, words: str) -> None:
    with pytest.raises(ConversionError, match=f"layer 'l': .*{words}"):
        made(entry, shape=shape)


def test_a_call_with_an_argument_that_the_layer_does_not_take_is_an_error() -> None:
    calls = {"d": [[["x", 0, 0, {"attention_mask": ["x", 0, 0]}]]]}
    with pytest.raises(ConversionError, match="layer 'd': .*does not take .found attention_mask"):
        functional({"d": dense("d")}, calls, [["d", 0, 0]])


def test_a_call_as_in_training_is_an_error() -> None:
    calls = {"d": [[["x", 0, 0, {"training": True}]]]}
    with pytest.raises(ConversionError, match="layer 'd': .*as in training"):
        functional({"d": layer("Dropout", "d", rate=0.5)}, calls, [["d", 0, 0]])


def test_a_call_as_in_training_computes_as_after_it_in_keras_3() -> None:
    calls = {"d": [[["x", 0, 0, {"training": True}]]], "r": [[["d", 0, 0, {"training": True}]]]}
    layers = {"d": layer("Dropout", "d", rate=0.5), "r": layer("ReLU", "r")}
    built = functional(layers, calls, [["r", 0, 0]], origin=KERAS_3)
    assert [node.op for node in built.nodes] == ["Placeholder", "Relu"]


def test_an_output_that_a_layer_does_not_have_is_an_error() -> None:
    with pytest.raises(ConversionError, match="layer 'd': a layer has no such output .found 1, expected less than 1"):
        functional({"d": dense("d")}, {"d": [[["x", 0, 0]]]}, [["d", 0, 1]])


def test_variables_larger_than_the_file_are_an_error_before_they_are_written() -> None:
    with pytest.raises(ConversionError, match=r"layer 'b': .*variables up to 'b/kernel' of shape \[4, 4\]"):
        made(dense("a"), dense("b"), elements=30)


def test_a_graph_has_so_many_nodes_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_MOST_NODES", 5)
    with pytest.raises(ConversionError, match="too large a graph"):
        made(*(dense(f"d{number}") for number in range(3)))


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([(None, 3), (1, 3)], (None, 3)),
        ([(None, 3), (3,)], (None, 3)),
        ([(2, 1), (1, 4)], (2, 4)),
        ([(None, 3), (5, 3)], (5, 3)),
        ([(), (2,)], (2,)),
    ],
)
def test_shapes_are_broadcast(shapes: Any, expected: Any) -> None:
    assert broadcast(shapes) == expected


def test_shapes_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ConversionError, match=r"found \[\?, 3\] and \[\?, 4\]"):
        broadcast([(None, 3), (None, 4)])
