"""The bundle loads and answers wherever SavedModels are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import bundler
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from bundler.ir.protos import SavedModel
from tests.support.answers import NO_ONEDNN, ONEDNN, Tensors, answers
from tests.support.models import placeholder, write_model
from tests.support.saved_model_cli import saved_model_cli


class Question(NamedTuple):
    """A signature with one input, and what to feed it."""

    bundle: str
    key: str
    input: str
    shape: tuple[int, ...]
    weights: str = "constants"
    object_graph: str = "auto"

    @property
    def settings(self) -> dict[str, str]:
        return {"weights": self.weights, "object_graph": self.object_graph}

    @property
    def value(self) -> np.ndarray:
        return np.random.default_rng(0).random(self.shape, np.float32)


TINY = Question("tiny", "edge_gradients", "image", (1, 16, 16, 1))
TRAINABLE = TINY._replace(weights="variables")
POSENET = Question("posenet", "all_heads", "input", (1, 385, 385, 3))
QUESTIONS = [
    pytest.param(TINY, id="tiny"),
    pytest.param(TRAINABLE, id="tiny, variables"),
    pytest.param(TINY._replace(object_graph="never"), id="tiny, plain"),
    pytest.param(TRAINABLE._replace(object_graph="never"), id="tiny, variables, plain"),
    pytest.param(POSENET, id="posenet", marks=pytest.mark.network),
    pytest.param(
        POSENET._replace(weights="variables"), id="posenet, variables", marks=[pytest.mark.network, pytest.mark.slow]
    ),
]
Built = Callable[..., Path]
Answer = Callable[[Question], Tensors]


@pytest.fixture(scope="module")
def tf() -> Any:
    import tensorflow

    return tensorflow


@pytest.fixture(scope="module")
def expected(built: Built) -> Answer:
    """What `tf.saved_model.load` answers: test_models.py holds it against TensorFlow.js."""
    return lambda ask: answers(built(ask.bundle, "constants"), {ask.key: {ask.input: ask.value}}, ONEDNN)[ask.key]


def assert_same(found: Mapping[str, Any], expected: Tensors, tolerance: float = 1e-4) -> None:
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(np.asarray(found[name]), value, atol=tolerance * np.abs(value).max(), err_msg=name)


@pytest.mark.parametrize("ask", QUESTIONS)
def test_keras_takes_a_signature_for_a_layer(ask: Question, tf: Any, built: Built, expected: Answer) -> None:
    layer = tf.keras.layers.TFSMLayer(str(built(ask.bundle, **ask.settings)), call_endpoint=ask.key)
    assert_same(layer(ask.value), expected(ask))


@pytest.mark.parametrize("ask", QUESTIONS)
def test_xla_compiles_a_signature(ask: Question, tf: Any, built: Built, expected: Answer) -> None:
    signature = tf.saved_model.load(str(built(ask.bundle, **ask.settings))).signatures[ask.key]
    compiled = tf.function(lambda value: signature(**{ask.input: value}), jit_compile=True)
    assert_same(compiled(tf.constant(ask.value)), expected(ask))


@pytest.mark.parametrize("ask", QUESTIONS)
def test_gradients_flow_to_the_input(ask: Question, tf: Any, built: Built) -> None:
    signature = tf.saved_model.load(str(built(ask.bundle, **ask.settings))).signatures[ask.key]
    value = tf.constant(ask.value)

    def total(value: Any) -> Any:
        return sum(tf.reduce_sum(output) for output in signature(**{ask.input: value}).values())

    with tf.GradientTape() as tape:
        tape.watch(value)
        result = total(value)
    gradient = tape.gradient(result, value).numpy()
    step = np.float32(1e-5) * np.sign(gradient)
    risen = total(tf.constant(ask.value + step)) - total(tf.constant(ask.value - step))
    np.testing.assert_allclose(risen, 2 * np.sum(gradient * step), rtol=0.05)


@pytest.mark.parametrize("ask", QUESTIONS)
def test_tflite_has_all_signatures_in_one_file(ask: Question, tf: Any, built: Built, expected: Answer) -> None:
    bundle = str(built(ask.bundle, **ask.settings))
    flatbuffer = tf.lite.TFLiteConverter.from_saved_model(bundle).convert()
    interpreter = tf.lite.Interpreter(model_content=flatbuffer)
    assert set(interpreter.get_signature_list()) == set(tf.saved_model.load(bundle).signatures)
    run = interpreter.get_signature_runner(ask.key)
    assert_same(run(**{ask.input: ask.value}), expected(ask))


@pytest.mark.parametrize("ask", QUESTIONS)
def test_saved_model_cli_runs_a_signature(ask: Question, tmp_path: Path, built: Built, expected: Answer) -> None:
    np.save(tmp_path / "given.npy", ask.value)
    given = f"{ask.input}={tmp_path / 'given.npy'}"
    where = ["--dir", str(built(ask.bundle, **ask.settings)), "--tag_set", "serve", "--signature_def", ask.key]
    saved_model_cli("run", *where, "--inputs", given, "--outdir", str(tmp_path))
    found = {path.stem: np.load(path) for path in tmp_path.glob("*.npy") if path.stem != "given"}
    assert_same(found, expected(ask))


def test_variables_are_trained_where_they_were_loaded(tf: Any, built: Built) -> None:
    loaded = tf.saved_model.load(str(built(TRAINABLE.bundle, **TRAINABLE.settings)))
    signature = loaded.signatures[TRAINABLE.key]
    value = tf.constant(TRAINABLE.value)

    def loss() -> Any:
        return sum(tf.reduce_sum(output**2) for output in signature(**{TRAINABLE.input: value}).values())

    with tf.GradientTape() as tape:
        before = loss()
    gradients = tape.gradient(before, signature.trainable_variables)
    assert len(loaded.trainable_variables) > len(gradients), "a signature has its own variables"
    assert {variable.name.partition("/")[0] for variable in signature.trainable_variables} == {"edges"}
    tf.keras.optimizers.SGD(1e-4).apply_gradients(zip(gradients, signature.trainable_variables))
    assert loss() < before


def test_variables_can_be_saved_again(tf: Any, tmp_path: Path, built: Built, expected: Answer) -> None:
    loaded = tf.saved_model.load(str(built(TRAINABLE.bundle, **TRAINABLE.settings)))
    tf.saved_model.save(loaded, str(tmp_path), signatures=dict(loaded.signatures))
    again = tf.saved_model.load(str(tmp_path)).signatures[TRAINABLE.key]
    assert_same(again(**{TRAINABLE.input: TRAINABLE.value}), expected(TRAINABLE))


def test_a_session_saves_the_variables_by_the_nodes_of_the_bundle(tf: Any, tmp_path: Path, built: Built) -> None:
    folder = built(TRAINABLE.bundle, **TRAINABLE.settings)
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        metagraph = tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
        saver = tf.compat.v1.train.Saver(saver_def=metagraph.saver_def)
        prefix = saver.save(session, str(tmp_path / "saved"))
    one, other = tf.train.load_checkpoint(prefix), tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    names = other.get_variable_to_shape_map()
    assert one.get_variable_to_shape_map() == names
    assert all(np.array_equal(one.get_tensor(name), other.get_tensor(name)) for name in names)


@pytest.mark.network
def test_saved_model_cli_shows_posenet_as_the_manifest_says(built: Built) -> None:
    shown = saved_model_cli("show", "--dir", str(built("posenet")), "--all")
    assert shown.partition("The MetaGraph with tag set")[0].strip() == SHOWN.strip()


SHOWN = """
MetaGraphDef with tag-set: 'serve' contains the following SignatureDefs:

signature_def['all_heads']:
  The given SavedModel SignatureDef contains the following input(s):
    inputs['input'] tensor_info:
        dtype: DT_FLOAT
        shape: (1, 385, 385, 3)
        name: posenet/image:0
  The given SavedModel SignatureDef contains the following output(s):
    outputs['displacement_bwd'] tensor_info:
        dtype: DT_FLOAT
        shape: (1, 25, 25, 32)
        name: posenet/MobilenetV1/displacement_bwd_2/BiasAdd:0
    outputs['displacement_fwd'] tensor_info:
        dtype: DT_FLOAT
        shape: (1, 25, 25, 32)
        name: posenet/MobilenetV1/displacement_fwd_2/BiasAdd:0
    outputs['heatmaps'] tensor_info:
        dtype: DT_FLOAT
        shape: (1, 25, 25, 17)
        name: posenet/MobilenetV1/heatmap_2/BiasAdd:0
    outputs['offsets'] tensor_info:
        dtype: DT_FLOAT
        shape: (1, 25, 25, 34)
        name: posenet/MobilenetV1/offset_2/BiasAdd:0
  Method name is: tensorflow/serving/predict

signature_def['serving_default']:
  The given SavedModel SignatureDef contains the following input(s):
    inputs['input'] tensor_info:
        dtype: DT_FLOAT
        shape: (1, 385, 385, 3)
        name: posenet/image:0
  The given SavedModel SignatureDef contains the following output(s):
    outputs['heatmaps'] tensor_info:
        dtype: DT_FLOAT
        shape: (1, 25, 25, 17)
        name: posenet/MobilenetV1/heatmap_2/BiasAdd:0
    outputs['offsets'] tensor_info:
        dtype: DT_FLOAT
        shape: (1, 25, 25, 34)
        name: posenet/MobilenetV1/offset_2/BiasAdd:0
  Method name is: tensorflow/serving/predict
"""


@pytest.fixture
def sharing(tmp_path: Path) -> Callable[[str], Path]:
    """A bundle whose three signatures have the same constants; its argument is the setting `object_graph`."""
    random, same = np.random.default_rng(0), {"T": DType.float32, "data_format": "NHWC"}
    nodes = [
        placeholder("x", 1, 8, 8, 2),
        new_node("Conv2D", "conv", ["x", "filters"], strides=[1] * 4, padding="SAME", **same),
        new_node("BiasAdd", "sums", ["conv", "bias"], **same),
        new_node("Relu", "positive", ["sums"], T=DType.float32),
    ]
    weights = {"filters": (3, 3, 2, 70), "bias": (70,)}
    drawn = {name: random.standard_normal(shape, np.float32) for name, shape in weights.items()}
    write_model(tmp_path / "model", nodes, drawn)
    lines = ["[[model]]", 'name = "one"', 'source = "model"']
    for name in ("sums", "positive"):
        lines += ["[[model.signature]]", f'key = "{name}"', f'outputs = ["{name}"]']
    lines += ["[[model]]", 'name = "two"', 'source = "model"']

    def build(choice: str) -> Path:
        head = ["[bundle]", 'name = "sharing"', f'object_graph = "{choice}"']
        (tmp_path / "bundle.toml").write_text("\n".join(head + lines))
        bundler.build(tmp_path / "bundle.toml", output=tmp_path / choice)
        return tmp_path / choice

    return build


def test_signatures_with_the_same_constants_have_them_in_one_function(sharing: Callable[[str], Path]) -> None:
    saved = SavedModel.FromString((sharing("auto") / "saved_model.pb").read_bytes())
    functions = {each.signature.name: each.node_def for each in saved.meta_graphs[0].graph_def.library.function}
    assert {name: [node.name for node in nodes if node.op == "Const"] for name, nodes in functions.items()} == {
        "constants": ["one/filters", "one/bias"],
        "signature": [],
        "signature_1": [],
        "signature_2": [],
    }


@pytest.mark.parametrize("environment", [ONEDNN, NO_ONEDNN], ids=["onednn", "without onednn"])
def test_signatures_with_the_same_constants_answer_as_in_a_plain_bundle(
    sharing: Callable[[str], Path], environment: Mapping[str, str]
) -> None:
    feeds = {
        key: {"x": np.random.default_rng(1).random((1, 8, 8, 2), np.float32)} for key in ("sums", "positive", "two")
    }
    found, plain = (answers(sharing(choice), feeds, environment) for choice in ("auto", "never"))
    for key, outputs in plain.items():
        for name, value in outputs.items():
            np.testing.assert_array_equal(found[key][name], value, err_msg=key)
