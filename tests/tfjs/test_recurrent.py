"""Recurrent layers: the steps of a sequence, what a mask skips, and states that last from call to call."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundler.errors import ConversionError
from bundler.ir.nodes import Tensor
from bundler.runtimes.tensorflow import Runtime
from bundler.tfjs.layers.configuration import translate
from bundler.tfjs.layers.graph.walk import Built, build
from bundler.tfjs.layers.origins import JAVASCRIPT, KERAS_2, KERAS_3, Origin
from tests.support.asking import ask, signatures
from tests.support.places import TESTS
from tests.tfjs.test_layers import build as bundle

MANY = 10**6


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": name, **config}}


def made(*layers: Any, shape: Any = (None, 4, 3), origin: Origin = KERAS_2) -> Built:
    """The graph of a Sequential that begins with an input of this shape."""
    first = layer("InputLayer", "x", batch_input_shape=list(shape))
    config = {"name": "m", "layers": [first, *layers]}
    return build(translate({"model_config": {"class_name": "Sequential", "config": config}}), origin, MANY)


def called(entry: dict[str, Any], *states: tuple[int, ...], origin: Origin = KERAS_2, **arguments: Any) -> Built:
    """The graph of a model that calls a layer with masked steps and with states of these shapes."""
    names = ["x", *(f"s{number}" for number in range(len(states)))]
    shapes = [(None, 4, 3), *states]
    inputs = [layer("InputLayer", name, batch_input_shape=list(shape)) for name, shape in zip(names, shapes)]
    masking = {**layer("Masking", "masking"), "inbound_nodes": [[["x", 0, 0, {}]]]}
    points = [[name, 0, 0] for name in names[1:]]
    further = {**({"initial_state": points} if points else {}), **arguments}
    entries = [*({**each, "inbound_nodes": []} for each in inputs), masking]
    entries.append({**entry, "inbound_nodes": [[["masking", 0, 0, further]]]})
    named = [{**each, "name": each["config"]["name"]} for each in entries]
    ends = {"input_layers": [[name, 0, 0] for name in names], "output_layers": [[entry["config"]["name"], 0, 0]]}
    config = {"name": "m", "layers": named, **ends}
    return build(translate({"model_config": {"class_name": "Functional", "config": config}}), origin, MANY)


def count(built: Built, op: str) -> int:
    """The nodes of an op in the graph and in its functions."""
    inside = [node for function in built.functions.values() for node in function.graph.nodes]
    return sum(node.op == op for node in [*built.nodes, *inside])


def lstm(**options: Any) -> dict[str, Any]:
    return layer("LSTM", "r", units=2, **options)


# Steps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 4, 8])
def test_the_steps_of_a_short_sequence_are_written_out(steps: int) -> None:
    built = made(lstm(), shape=(None, steps, 3))
    assert not built.functions
    assert count(built, "Split") == steps


@pytest.mark.parametrize("steps", [9, 1000, None])
def test_a_long_sequence_or_one_of_unknown_length_is_a_loop(steps: int | None) -> None:
    built = made(lstm(unroll=True), shape=(None, steps, 3))
    assert list(built.functions) == ["r_condition", "r_body"]
    assert count(built, "Split") == 1


@pytest.mark.parametrize("steps", [4, 20])
def test_the_inputs_of_all_steps_meet_their_weights_at_once(steps: int) -> None:
    built = made(lstm(), shape=(None, steps, 3))
    kernel = [node.name for node in built.nodes if "r/lstm_cell/kernel" in node.input]
    assert kernel == ["r/lstm_cell/MatMul"]


def test_a_list_of_outputs_is_kept_if_they_are_asked_for() -> None:
    last, all_of_them = (made(lstm(return_sequences=flag), shape=(None, 20, 3)) for flag in (False, True))
    assert count(last, "TensorListSetItem") == 0
    assert count(all_of_them, "TensorListSetItem") == 1
    assert last.signature.outputs["r"].shape == (None, 2)
    assert all_of_them.signature.outputs["r"].shape == (None, 20, 2)


def test_the_weights_have_the_names_that_keras_gives_them() -> None:
    cells = [layer("LSTMCell", "a", units=2), layer("GRUCell", "b", units=3, use_bias=False)]
    stack = layer("StackedRNNCells", "stack", cells=cells)
    both = layer("Bidirectional", "both", layer=layer("SimpleRNN", "s", units=2))
    built = made(layer("RNN", "r", cell=stack, return_sequences=True), both)
    assert [variable.name for variable in built.variables] == [
        "r/stack/a/kernel",
        "r/stack/a/recurrent_kernel",
        "r/stack/a/bias",
        "r/stack/b/kernel",
        "r/stack/b/recurrent_kernel",
        "both/forward_s/simple_rnn_cell/kernel",
        "both/forward_s/simple_rnn_cell/recurrent_kernel",
        "both/forward_s/simple_rnn_cell/bias",
        "both/backward_s/simple_rnn_cell/kernel",
        "both/backward_s/simple_rnn_cell/recurrent_kernel",
        "both/backward_s/simple_rnn_cell/bias",
    ]


def test_the_weights_of_a_model_for_each_step_are_those_of_its_layers() -> None:
    inner = {"class_name": "Sequential", "config": {"name": "inner", "layers": [layer("Dense", "d", units=2)]}}
    built = made(layer("TimeDistributed", "each", layer=inner))
    assert [(variable.layer, variable.name) for variable in built.variables] == [("d", "d/kernel"), ("d", "d/bias")]
    assert [variable.node for variable in built.variables] == ["each/inner/d/kernel", "each/inner/d/bias"]


# Masks -------------------------------------------------------------------------------------------

MASKING = layer("Masking", "masking")


@pytest.mark.parametrize(
    ("origin", "behind", "selects"),
    [(JAVASCRIPT, True, 4 * 3), (JAVASCRIPT, False, 0), (KERAS_2, True, 0), (KERAS_3, True, 0)],
)
def test_only_tensorflowjs_carries_a_mask_past_a_layer_that_does_not_pass_it(
    origin: Origin, behind: bool, selects: int
) -> None:
    conv = layer("Conv1D", "c", filters=3, kernel_size=1)
    built = made(*[MASKING, conv][not behind :], lstm(), origin=origin)
    assert count(built, "SelectV2") == selects


def test_a_mask_that_is_carried_into_a_model_stays_for_its_layers() -> None:
    inner = {"class_name": "Sequential", "config": {"name": "inner", "layers": [lstm()]}}
    assert count(made(MASKING, inner, origin=JAVASCRIPT), "SelectV2") == 4 * 3
    assert count(made(inner, origin=JAVASCRIPT), "SelectV2") == 0


@pytest.mark.parametrize(("origin", "selects"), [(KERAS_2, 4 * 3), (KERAS_3, 0)])
def test_keras_3_skips_no_steps_of_a_layer_with_initial_states(origin: Origin, selects: int) -> None:
    assert count(called(lstm(), (None, 2), (None, 2), origin=origin), "SelectV2") == selects


# Errors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "shape", "words"),
    [
        (lstm(), (None, 0, 3), "layer 'r': the layer's input has no steps .found .*0, 3"),
        (lstm(), (None, 3), "layer 'r': the input is of another rank"),
        (lstm(), (None, 4, None), "layer 'r': .*a size of its input that is unknown"),
        (
            layer("LSTMCell", "r", units=2),
            (None, 3),
            "the cell has another number of states .found 0, expected 2",
        ),
        (layer("TimeDistributed", "r", layer=layer("Flatten", "f")), (None, 3), "at least 3 dimensions"),
        (
            layer("Bidirectional", "r", layer=lstm(), backward_layer=lstm()),
            (None, 4, 3),
            "layer 'r': the two layers of a Bidirectional layer do not fit each other .found the same go_backwards",
        ),
        (
            layer("Bidirectional", "r", layer=lstm(), backward_layer=lstm(go_backwards=True, return_sequences=True)),
            (None, 4, 3),
            "found return_sequences of one of them only",
        ),
        (layer("RNN", "r", cell=layer("StackedRNNCells", "s", cells=[])), (None, 4, 3), "a stack of no cells"),
    ],
)
def test_a_layer_that_cannot_be_is_an_error(entry: dict[str, Any], shape: Any, words: str) -> None:
    with pytest.raises(ConversionError, match=words):
        made(entry, shape=shape)


@pytest.mark.parametrize(
    ("entry", "states", "words"),
    [
        (lstm(), [(None, 2)], "another number of states .found 1, expected 2 initial states, or none"),
        (lstm(), [(None, 2), (None, 3)], "an initial state does not fit .found .*3., expected .*2.*"),
        (lstm(stateful=True), [(None, 2), (None, 2)], "the layer is stateful and called with initial states"),
        (layer("Bidirectional", "r", layer=lstm()), [(None, 2)], "takes its states in pairs .found 1"),
    ],
)
def test_states_that_do_not_fit_are_an_error(entry: dict[str, Any], states: Any, words: str) -> None:
    with pytest.raises(ConversionError, match=f"layer 'r': .*{words}"):
        called(entry, *states)


def test_a_stateful_layer_that_goes_on_from_step_to_step_is_an_error() -> None:
    with pytest.raises(ConversionError, match="layer 'each': a stateful layer goes on from step to step"):
        made(layer("TimeDistributed", "each", layer=lstm(stateful=True)), shape=(2, 4, 4, 3))


def test_constants_for_a_cell_are_an_error() -> None:
    with pytest.raises(ConversionError, match="layer 'r': the cell of the layer takes no constants"):
        called(lstm(), constants=[["x", 0, 0]])


def test_a_mask_that_tensorflowjs_would_take_for_another_is_an_error() -> None:
    inner = layer("TimeDistributed", "each", layer=lstm())
    with pytest.raises(ConversionError, match="layer 'each': TensorFlow.js takes the mask of the steps for one of"):
        made(MASKING, inner, shape=(None, 4, 4, 3), origin=JAVASCRIPT)


# States that last --------------------------------------------------------------------------------


def test_the_state_of_a_stateful_layer_is_an_input_and_an_output() -> None:
    built = made(lstm(stateful=True), shape=(5, 4, 3))
    assert {name: spec.shape for name, spec in built.signature.inputs.items()} == {
        "x": (5, 4, 3),
        "r_state_0": (5, 2),
        "r_state_1": (5, 2),
    }
    assert list(built.signature.outputs) == ["r", "r_state_0", "r_state_1"]
    assert built.signature.inputs["r_state_0"].tensor == Tensor("r/state_0")


def test_each_layer_in_a_stateful_one_has_its_state() -> None:
    built = made(layer("Bidirectional", "b", layer=layer("GRU", "g", units=2, stateful=True)), shape=(5, 4, 3))
    assert list(built.signature.inputs) == ["x", "b_forward_g_state_0", "b_backward_g_state_0"]


def test_a_stateful_model_goes_on_as_in_tensorflowjs(
    tensorflowjs_modules: Path, runtime: Runtime, tmp_path: Path
) -> None:
    program = ["node", TESTS / "node" / "stateful.js", tensorflowjs_modules, tmp_path / "model"]
    calls = json.loads(subprocess.run(program, capture_output=True, check=True).stdout)
    built = bundle(tmp_path / "bundle", m=str(tmp_path / "model"))
    inputs = signatures(built)["serving_default"].inputs
    (given,) = [name for name in inputs if "_state_" not in name]
    states = {name: np.zeros(spec.shape, np.float32) for name, spec in inputs.items() if name != given}
    for call in calls:
        found = ask(runtime, built, "serving_default", **{given: np.array(call["input"], np.float32)}, **states)
        states = {name: found.pop(name) for name in states}
        (output,) = found.values()
        np.testing.assert_allclose(output, call["output"], atol=1e-6)
