"""SavedModels of one model or several, as callers of the predecessor write and inspect them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundler.api as tfjs
from bundler.ir.protos import MetaGraphDef, SavedModel
from bundler.runtimes.tensorflow import Runtime
from tests.api.conftest import Written
from tests.api.known import MODELS

DEFAULT = "serving_default"
PREDICT = "tensorflow/serving/predict"


def metagraph(export_dir: str, *tags: str) -> MetaGraphDef:
    """The MetaGraph with these tags."""
    saved = SavedModel.FromString((Path(export_dir) / "saved_model.pb").read_bytes())
    (found,) = (graph for graph in saved.meta_graphs if set(graph.meta_info_def.tags) == set(tags))
    return found


def tensors(side: Mapping[str, Any]) -> dict[str, str]:
    return {key: side[key].name for key in side}


@pytest.fixture
def export_dir(tmp_path: Path) -> str:
    return str(tmp_path / "saved model")


@pytest.mark.parametrize("name", MODELS)
def test_it_answers_in_a_server_and_in_python(
    name: str, export_dir: str, tf: Any, runtime: Runtime, model_dir: Written
) -> None:
    known = MODELS[name]
    tfjs.graph_model_to_saved_model(model_dir(name), export_dir)
    feeds = {f"{key}:0": value for key, value in known.feeds.items()}
    served = runtime.run(Path(export_dir), ["serve"], feeds, [f"{key}:0" for key in known.answers])
    run = tf.saved_model.load(export_dir).signatures[DEFAULT]
    loaded = run(**{key: tf.constant(value) for key, value in known.feeds.items()})
    for answer, (key, expected) in zip(served, known.answers.items(), strict=True):
        np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(loaded[key].numpy(), expected, rtol=1e-4, atol=1e-5)


def test_the_default_signature_is_that_of_the_metadata(export_dir: str, tf: Any, model_dir: Written) -> None:
    path = tfjs.graph_model_to_saved_model(model_dir("prelu"), export_dir, tags=["serve"])
    assert path == str(Path(export_dir, "saved_model.pb"))
    assert tf.saved_model.contains_saved_model(export_dir)
    ((key, signature),) = metagraph(export_dir, "serve").signature_def.items()
    assert (key, signature.method_name) == (DEFAULT, PREDICT)
    assert tf.compat.v1.saved_model.is_valid_signature(signature)
    assert tensors(signature.inputs) == {"input_vector": "input_vector:0"}
    assert tensors(signature.outputs) == {"Identity": "Identity:0"}
    assert [dim.size for dim in signature.inputs["input_vector"].tensor_shape.dim] == [-1, 7]


def test_a_default_signature_has_the_names_of_the_nodes_else(export_dir: str, model_dir: Written) -> None:
    tfjs.graph_model_to_saved_model(model_dir("two_inputs"), export_dir)
    signature = metagraph(export_dir, "serve").signature_def[DEFAULT]
    assert tensors(signature.inputs) == {"a": "a:0", "b": "b:0"}
    assert tensors(signature.outputs) == {"Identity": "Identity:0"}


@pytest.mark.parametrize("empty", ["", None])
def test_signatures_of_two_heads(empty: str | None, export_dir: str, tf: Any, model_dir: Written) -> None:
    signatures = {
        empty: {tfjs.SIGNATURE_OUTPUTS: ["Identity"]},
        "debug": {tfjs.SIGNATURE_OUTPUTS: ["Identity", "Identity_1"], tfjs.SIGNATURE_METHOD: ""},
    }
    tfjs.graph_model_to_saved_model(model_dir("multi_head"), export_dir, signature_def_map=signatures)
    written = metagraph(export_dir, "serve").signature_def
    assert {key: set(written[key].outputs) for key in written} == {
        DEFAULT: {"Identity"},
        "debug": {"Identity", "Identity_1"},
    }
    for signature in written.values():
        assert signature.method_name == PREDICT
        assert tf.compat.v1.saved_model.is_valid_signature(signature)


def test_one_output_may_be_a_name_alone_as_the_api_page_shows(export_dir: str, model_dir: Written) -> None:
    signatures = {"": {tfjs.SIGNATURE_OUTPUTS: "Identity"}, "autoencode": {tfjs.SIGNATURE_OUTPUTS: "Identity_1"}}
    names = tfjs.RenameMap({"Identity": "output", "Identity_1": "output", "x": "input"})
    tfjs.graph_model_to_saved_model(
        model_dir("multi_head"), export_dir, signature_def_map=signatures, signature_key_map=names
    )
    written = metagraph(export_dir, "serve").signature_def
    assert tensors(written[DEFAULT].outputs) == {"output": "Identity:0"}
    assert tensors(written["autoencode"].outputs) == {"output": "Identity_1:0"}
    assert tensors(written["autoencode"].inputs) == {"input": "x:0"}


def test_names_may_change_places(export_dir: str, model_dir: Written) -> None:
    swap = tfjs.RenameMap({"Identity": "Identity_1", "Identity_1": "Identity"})
    tfjs.graph_model_to_saved_model(model_dir("multi_head"), export_dir, signature_key_map=swap)
    outputs = metagraph(export_dir, "serve").signature_def[DEFAULT].outputs
    assert tensors(outputs) == {"Identity": "Identity_1:0", "Identity_1": "Identity:0"}


def test_new_names_that_a_model_has_no_use_for_are_passed_over(export_dir: str, model_dir: Written) -> None:
    names = tfjs.RenameMap({"x": "input", "nothing": "anything"})
    tfjs.graph_model_to_saved_model(model_dir("simple"), export_dir, signature_key_map=names)
    assert tensors(metagraph(export_dir, "serve").signature_def[DEFAULT].inputs) == {"input": "x:0"}


def test_a_method_name_is_taken_as_it_stands(export_dir: str, model_dir: Written) -> None:
    method = "tensorflow/serving/classify"
    signatures = {"scores": {tfjs.SIGNATURE_OUTPUTS: ["Identity"], tfjs.SIGNATURE_METHOD: method}}
    tfjs.graph_model_to_saved_model(model_dir("multi_head"), export_dir, signature_def_map=signatures)
    assert metagraph(export_dir, "serve").signature_def["scores"].method_name == method


@pytest.mark.parametrize(
    ("tags", "expected"),
    [(None, ["serve"]), ("gpu", ["gpu"]), (["serve", " cpu ", ""], ["cpu", "serve"]), (("a", "b"), ["a", "b"])],
)
def test_tags_may_be_one_or_several(tags: Any, expected: list[str], export_dir: str, model_dir: Written) -> None:
    tfjs.graph_model_to_saved_model(model_dir("simple"), export_dir, tags=tags)
    assert metagraph(export_dir, *expected)


@pytest.mark.parametrize(
    ("signatures", "said"),
    [
        ({"": {}}, "a signature needs outputs"),
        ({"": {tfjs.SIGNATURE_OUTPUTS: []}}, "a signature needs outputs"),
        ({"": {tfjs.SIGNATURE_OUTPUTS: ["Identify"]}}, "'Identify'"),
        ({"": {tfjs.SIGNATURE_OUTPUTS: ["Identity"]}, None: {tfjs.SIGNATURE_OUTPUTS: ["Identity"]}}, "is also the key"),
    ],
)
def test_a_wrong_signature_is_a_value_error_and_writes_nothing(
    signatures: Any, said: str, export_dir: str, model_dir: Written
) -> None:
    with pytest.raises(ValueError, match=said):
        tfjs.graph_model_to_saved_model(model_dir("multi_head"), export_dir, signature_def_map=signatures)
    assert not Path(export_dir).exists()


# Several models -----------------------------------------------------------------------------------


def test_several_models_are_found_by_their_tags(export_dir: str, tf: Any, runtime: Runtime, model_dir: Written) -> None:
    models = [(model_dir("simple"), ["serve", "first"]), (model_dir("prelu"), ["serve", "second"])]
    assert tfjs.graph_models_to_saved_model(models, export_dir) == str(Path(export_dir, "saved_model.pb"))
    for name, tags in (("simple", ["serve", "first"]), ("prelu", ["serve", "second"])):
        ((source, value),) = MODELS[name].feeds.items()
        assert list(metagraph(export_dir, *tags).signature_def) == [DEFAULT]
        loaded = tf.saved_model.load(export_dir, tags=tags).signatures[DEFAULT](**{source: tf.constant(value)})
        (served,) = runtime.run(Path(export_dir), tags, {f"{source}:0": value}, ["Identity:0"])
        np.testing.assert_allclose(loaded["Identity"].numpy(), MODELS[name].answers["Identity"], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(served, MODELS[name].answers["Identity"], rtol=1e-4, atol=1e-5)


def test_each_model_has_signatures_and_names_of_its_own(export_dir: str, model_dir: Written) -> None:
    simple, heads = model_dir("simple"), model_dir("multi_head")
    signatures = {
        "ignore this": {"": {tfjs.SIGNATURE_OUTPUTS: ["y"]}},
        heads: {"": {tfjs.SIGNATURE_OUTPUTS: ["Identity"]}},
    }
    names = {
        simple: tfjs.RenameMap({"x": "input", "Identity": "output"}),
        heads: tfjs.RenameMap({"Identity": "scores"}),
    }
    tfjs.graph_models_to_saved_model([(simple, ["serve", "1"]), (heads, ["serve", "2"])], export_dir, signatures, names)
    first, second = (metagraph(export_dir, "serve", tag).signature_def[DEFAULT] for tag in "12")
    assert (tensors(first.inputs), tensors(first.outputs)) == ({"input": "x:0"}, {"output": "Identity:0"})
    assert (tensors(second.inputs), tensors(second.outputs)) == ({"x": "x:0"}, {"scores": "Identity:0"})


def test_two_models_with_the_same_tags_are_a_value_error(export_dir: str, model_dir: Written) -> None:
    models = [(model_dir("simple"), ["serve", "cpu"]), (model_dir("prelu"), ["cpu", "serve"])]
    with pytest.raises(ValueError, match=r"model\[1\].tags: 'cpu, serve' is also the tag set of model 1"):
        tfjs.graph_models_to_saved_model(models, export_dir)


def test_one_model_may_stand_under_two_sets_of_tags(export_dir: str, model_dir: Written) -> None:
    tfjs.graph_models_to_saved_model([(model_dir("simple"), "cpu"), (model_dir("simple"), "gpu")], export_dir)
    assert [list(metagraph(export_dir, tag).signature_def) for tag in ("cpu", "gpu")] == [[DEFAULT]] * 2


def test_every_model_is_converted_in_the_mode_that_was_asked_for(export_dir: str, model_dir: Written) -> None:
    models = [(model_dir("simple"), "a"), (model_dir("depthwise_prelu"), "b"), (model_dir("depthwise_relu"), "c")]
    tfjs.graph_models_to_saved_model(models, export_dir, compat_mode=tfjs.CompatMode.TFLITE)
    ops = {node.op for tag in "abc" for node in metagraph(export_dir, tag).graph_def.node}
    assert not {op for op in ops if op.startswith(("_", "Fused", "Prelu"))}


def test_the_record_has_no_path_of_this_machine(export_dir: str, model_dir: Written) -> None:
    tfjs.graph_models_to_saved_model([(model_dir("simple"), "a"), (model_dir("prelu"), "b")], export_dir)
    record = Path(export_dir, "assets.extra", "bundle.json").read_text()
    assert '"simple"' in record
    assert str(Path(model_dir("simple")).parents[1]) not in record


def test_a_model_may_lie_in_an_archive(tmp_path: Path, export_dir: str, model_dir: Written) -> None:
    archive = shutil.make_archive(str(tmp_path / "models"), "zip", Path(model_dir("simple")).parent)
    inside = f"{archive}#{Path(model_dir('simple')).name}"
    assert tfjs.get_input_tensors(tfjs.load_graph_model(f"{inside}/model.json")) == ["x:0"]
    tfjs.graph_models_to_saved_model([(inside, "a"), (model_dir("prelu"), "b")], export_dir)
    assert tensors(metagraph(export_dir, "a").signature_def[DEFAULT].outputs) == {"Identity": "Identity:0"}
    assert tensors(metagraph(export_dir, "b").signature_def[DEFAULT].inputs) == {"input_vector": "input_vector:0"}
