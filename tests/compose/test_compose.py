"""Composed signatures in whole bundles: weights, callers, seams, other signatures, labels, reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import bundler
from bundler.bundle import Bundle
from bundler.cli import main
from bundler.errors import ManifestError
from bundler.outputs.savedmodel import FILE
from bundler.runtimes.failures import Refused
from bundler.runtimes.tensorflow import Runtime
from tests.compose.pictures import gradient, png
from tests.compose.small import write
from tests.support import tflite
from tests.support.answers import ONEDNN, answers
from tests.support.elsewhere import call
from tests.support.saved import read
from tests.support.saved_model_cli import saved_model_cli

EMOTIONS = """
[[signature]]
key = "emotions"
inputs = { images = "string[?]" }
outputs = ["classes", "scores"]
steps = [
  { map = [{ op = "decode_image" }, { op = "resize_bilinear", size = [64, 64] }] },
  { op = "div", by = 255 },
  { op = "grayscale", weights = [0.2989, 0.587, 0.114], as = "grey" },
  { call = "face_emotion" },
  { op = "top_k", k = 3, labels = ["a", "b", "c", "d", "e", "f", "g"], as = ["scores", "classes"] },
]
"""
FACES = """
[[signature]]
key = "faces"
inputs = { image = "string" }
outputs = ["count", "boxes", "scores", "classes"]
steps = [
  { op = "decode_image", as = "pixels" },
  { op = "resize_bilinear", size = [256, 256] },
  { call = "face_detect" },
  { op = "concat", of = ["scores_fine", "scores_coarse"], axis = 1 },
  { op = "reshape", shape = [-1] },
  { op = "sigmoid", as = "all_scores" },
  { op = "concat", of = ["boxes_fine", "boxes_coarse"], axis = 1 },
  { op = "decode_boxes", input_size = 256, strides = [16, 32], anchors = [2, 6], as = "all_boxes" },
  { op = "non_max_suppression", of = ["all_boxes", "all_scores"], max_output_size = 5, as = ["kept", "count"] },
  { op = "gather", of = ["all_scores", "kept"], as = "scores" },
  { op = "gather", of = ["all_boxes", "kept"], as = "boxes" },
  { op = "crop_and_resize", of = ["pixels", "boxes"], size = [64, 64] },
  { op = "grayscale", weights = [0.3, 0.6, 0.1] },
  { call = "face_emotion" },
  { op = "arg_max", as = "classes" },
]
"""
TABLE = """\
emotions (emotion)
  in   images         string[?]
    1                 float32[?, 64, 64, 3]     map of decode_image, resize_bilinear
    2                 float32[?, 64, 64, 3]     div
    3  grey           float32[?, 64, 64, 1]     grayscale
    4  probabilities  float32[?, 7]             face_emotion
    5  scores         float32[?, 3]             top_k
       classes        string[?, 3]
  out  classes        string[?, 3]
  out  scores         float32[?, 3]
"""


def built(folder: Path, signatures: str, bundle: str = "") -> Path:
    bundler.build(write(folder, signatures, bundle), output=folder / "out")
    return folder / "out"


def called(folder: Path, runtime: Runtime, key: str, **feeds: np.ndarray) -> dict[str, np.ndarray]:
    return Bundle.open(folder).endpoint(key).call(runtime, feeds)


def files(*sizes: tuple[int, int]) -> np.ndarray:
    return np.array([png(gradient(*size)) for size in sizes], object)


PICTURES = files((64, 64), (90, 40), (33, 70))


def large_constants(folder: Path) -> list[str]:
    (metagraph,) = read(folder).meta_graphs
    return sorted(node.name for node in metagraph.graph_def.node if node.ByteSize() > 2000)


def test_composed_signatures_add_no_weights_to_the_graph(tmp_path: Path) -> None:
    weights = large_constants(built(tmp_path, ""))
    assert weights == ["detector/boxes_of_384", "detector/boxes_of_512", "detector/scores_of_512"]
    assert large_constants(built(tmp_path, EMOTIONS + FACES)) == [*weights, "faces/7.decode_boxes/anchors"]


def test_a_build_gives_the_same_bytes_again(tmp_path: Path) -> None:
    first = (built(tmp_path, EMOTIONS + FACES) / FILE).read_bytes()
    bundler.build(tmp_path / "faces.toml", output=tmp_path / "again", jobs=2)
    assert (tmp_path / "again" / FILE).read_bytes() == first


@pytest.mark.parametrize("weights", ["constants", "variables"])
def test_all_callers_get_what_the_parts_give_one_after_the_other(
    weights: str, tmp_path: Path, runtime: Runtime
) -> None:
    folder = built(
        tmp_path, EMOTIONS.replace('"classes", "scores"', '"classes", "scores", "grey"'), f'weights = "{weights}"\n'
    )
    whole = called(folder, runtime, "emotions", images=PICTURES)
    (parts,) = called(folder, runtime, "face_emotion", image=whole["grey"]).values()
    np.testing.assert_allclose(whole["scores"], -np.sort(-parts)[:, :3], rtol=1e-6)
    assert whole["classes"].tolist() == [[b"abcdefg"[at : at + 1] for at in np.argsort(-row)[:3]] for row in parts]
    in_python = answers(folder, {"emotions": {"images": PICTURES}}, ONEDNN)["emotions"]
    in_keras = call(_by_keras, str(folder), PICTURES, environment=ONEDNN)
    for found in (in_python, in_keras):
        np.testing.assert_allclose(found["scores"], whole["scores"], rtol=1e-5)
        assert found["classes"].tolist() == whole["classes"].tolist()


def _by_keras(folder: str, images: np.ndarray) -> dict[str, Any]:
    import keras
    import tensorflow as tf

    layer = keras.layers.TFSMLayer(folder, call_endpoint="emotions")
    return {name: value.numpy() for name, value in layer(tf.constant(images)).items()}


def test_saved_model_cli_shows_and_runs_it(tmp_path: Path) -> None:
    folder = built(tmp_path, EMOTIONS)
    shown = saved_model_cli("show", "--dir", str(folder), "--tag_set", "serve", "--signature_def", "emotions")
    assert "dtype: DT_STRING" in shown and "shape: (-1, 3)" in shown
    np.savez(tmp_path / "in.npz", images=np.array([png(gradient())]))
    given = f"images={tmp_path / 'in.npz'}[images]"
    run = ("run", "--dir", str(folder), "--tag_set", "serve", "--signature_def", "emotions", "--inputs", given)
    assert "Result for output key classes" in saved_model_cli(*run)


@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_gives_what_its_images_give(count: int, tmp_path: Path, runtime: Runtime) -> None:
    folder = built(tmp_path, EMOTIONS)
    whole = called(folder, runtime, "emotions", images=PICTURES[:count])
    each = [called(folder, runtime, "emotions", images=PICTURES[at : at + 1]) for at in range(count)]
    for name in ("classes", "scores"):
        assert whole[name].tolist() == [one[name][0].tolist() for one in each]


def test_an_empty_batch_gives_empty_results(tmp_path: Path, runtime: Runtime) -> None:
    found = called(built(tmp_path, EMOTIONS), runtime, "emotions", images=PICTURES[:0])
    assert {name: value.shape for name, value in found.items()} == {"classes": (0, 3), "scores": (0, 3)}


def test_a_chain_of_two_models_finds_as_many_as_count_says(tmp_path: Path, runtime: Runtime) -> None:
    found = called(built(tmp_path, FACES), runtime, "faces", image=PICTURES[0:1].reshape(()))
    assert found["boxes"].shape == (5, 4) and found["classes"].shape == (5,) and found["count"] == 5
    assert (np.diff(found["scores"]) <= 0).all()


def test_if_there_is_nothing_to_find_the_count_is_0(tmp_path: Path, runtime: Runtime) -> None:
    none = FACES.replace("max_output_size = 5", "max_output_size = 5, score_threshold = 2")
    found = called(built(tmp_path, none), runtime, "faces", image=PICTURES[0:1].reshape(()))
    assert found["count"] == 0 and found["classes"].shape == (5,)


OPEN = """
[[signature]]
key = "open"
inputs = { x = "float32[?, ?, ?, 1]" }
outputs = ["probabilities"]
steps = [{ call = "face_emotion" }]

[[signature]]
key = "twice"
inputs = { x = "float32[?, ?, ?, 1]" }
outputs = ["one", "two"]
steps = [
  { call = "open", as = "one" },
  { op = "exp", of = "x" },
  { call = "open", as = { probabilities = "two" } },
]
"""


def test_a_size_that_is_not_known_is_checked_when_it_runs(tmp_path: Path, runtime: Runtime) -> None:
    folder = built(tmp_path, OPEN)
    assert called(folder, runtime, "open", x=np.zeros((2, 64, 64, 1), np.float32))["probabilities"].shape == (2, 7)
    with pytest.raises(Refused, match="64"):
        called(folder, runtime, "open", x=np.zeros((2, 32, 64, 1), np.float32))


def test_a_size_that_an_inner_model_refuses_is_an_error_of_the_manifest(tmp_path: Path) -> None:
    small = OPEN.replace('op = "exp", of = "x"', 'op = "resize_bilinear", of = "x", size = [9, 9]')
    with pytest.raises(ManifestError, match="step 3: open cannot take this: .*64 and 9.* .found float32.., 9, 9, 1.."):
        bundler.check(write(tmp_path, small))


def test_a_composed_signature_calls_another_one_as_often_as_it_likes(tmp_path: Path, runtime: Runtime) -> None:
    folder = built(tmp_path, OPEN)
    x = np.random.default_rng(0).normal(size=(1, 64, 64, 1)).astype(np.float32)
    found = called(folder, runtime, "twice", x=x)
    for name, value in (("one", x), ("two", np.exp(x))):
        np.testing.assert_allclose(
            found[name], called(folder, runtime, "face_emotion", image=value)["probabilities"], 1e-5
        )


CLASSIFY = """
[[signature]]
key = "classify"
inputs = { inputs = "string[?]" }
outputs = ["classes", "scores"]
method_name = "classify"
steps = [
  { op = "parse_example", features = { image = "string[1]", brightness = "float32[1]" } },
  { op = "reshape", of = "image", shape = [-1] },
  { map = [{ op = "decode_image" }, { op = "resize_bilinear", size = [64, 64] }] },
  { op = "grayscale", weights = [1, 1, 1] },
  { op = "reshape", shape = [-1, 4096], as = "flat" },
  { op = "mul", of = ["flat", "brightness"] },
  { op = "reshape", shape = [-1, 64, 64, 1] },
  { call = "face_emotion" },
  { op = "top_k", k = 2, labels = "labels.txt", as = ["scores", "classes"] },
]
"""


def test_a_front_that_parses_examples_meets_the_rule_of_tensorflow_serving(tmp_path: Path, runtime: Runtime) -> None:
    (tmp_path / "labels.txt").write_text("\n".join("abcdefg") + "\n")
    folder = built(tmp_path, CLASSIFY)
    contents = [png(gradient()), png(gradient(20, 30))]
    examples = np.array(call(_examples, contents, environment=ONEDNN), object)
    found = called(folder, runtime, "classify", inputs=examples)
    assert found["classes"].shape == found["scores"].shape == (2, 2)
    report = bundler.inspect(folder).signatures["classify"]
    assert (report.method_name, report.steps[-1].step) == ("tensorflow/serving/classify", "top_k")
    with pytest.raises(Refused, match="required but could not be found"):
        called(folder, runtime, "classify", inputs=np.array([b""], object))


def _examples(contents: list[bytes]) -> list[bytes]:
    import tensorflow as tf

    bright = tf.train.Feature(float_list=tf.train.FloatList(value=[0.5]))
    images = (tf.train.Feature(bytes_list=tf.train.BytesList(value=[content])) for content in contents)
    features = (tf.train.Features(feature={"image": image, "brightness": bright}) for image in images)
    return [tf.train.Example(features=each).SerializeToString() for each in features]


def test_other_labels_in_the_file_make_another_bundle(tmp_path: Path, runtime: Runtime) -> None:
    labels = tmp_path / "labels.txt"
    signatures = EMOTIONS.replace('["a", "b", "c", "d", "e", "f", "g"]', '"labels.txt"')
    labels.write_text("\r\n".join("abcdefg"))
    folder = built(tmp_path, signatures)
    assert bundler.build(tmp_path / "faces.toml", output=folder).up_to_date
    labels.write_text("\n".join("ABCDEFG"))
    assert not bundler.build(tmp_path / "faces.toml", output=folder).up_to_date
    assert called(folder, runtime, "emotions", images=PICTURES[:1])["classes"][0, 0].isupper()


def test_a_table_shows_the_steps_with_their_types(tmp_path: Path) -> None:
    folder = built(tmp_path, EMOTIONS)
    for what in (tmp_path / "faces.toml", folder):
        assert TABLE in CliRunner().invoke(main, ["inspect", str(what)]).stdout


def test_steps_are_in_the_json_of_a_report(tmp_path: Path) -> None:
    report = bundler.check(write(tmp_path, EMOTIONS)).signatures["emotions"]
    assert report.models == ("emotion",)
    assert [(step.step, [tensor.type for tensor in step.gives]) for step in report.steps][-2:] == [
        ("face_emotion", ["float32[?, 7]"]),
        ("top_k", ["float32[?, 3]", "string[?, 3]"]),
    ]


TFLITE = """
[[signature]]
key = "phone"
inputs = { image = "float32[1, ?, ?, 3]" }
outputs = ["classes", "scores"]
steps = [
  { op = "letterbox", size = [64, 64] },
  { op = "div", by = 255 },
  { op = "grayscale", weights = [0.3, 0.6, 0.1] },
  { call = "face_emotion" },
  { op = "top_k", k = 3, labels = ["a", "b", "c", "d", "e", "f", "g"], as = ["scores", "classes"] },
]
"""


@pytest.mark.slow
@pytest.mark.parametrize("step", ['op = "resize_bilinear", size = [64, 64]', 'op = "letterbox", size = [64, 64]'])
def test_tflite_takes_images_of_any_size(step: str, tmp_path: Path) -> None:
    folder = built(tmp_path, TFLITE.replace('op = "letterbox", size = [64, 64]', step), 'compat = "tflite"\n')
    assert tflite.convert(folder, tmp_path / "phone.tflite") == ""


@pytest.mark.slow
def test_tflite_runs_a_composed_signature_with_its_builtin_ops(tmp_path: Path, runtime: Runtime) -> None:
    fixed = TFLITE.replace("float32[1, ?, ?, 3]", "float32[1, 40, 30, 3]")
    folder = built(tmp_path, fixed, 'compat = "tflite"\n')
    image = gradient(40, 30).astype(np.float32)[None]
    right = called(folder, runtime, "phone", image=image)
    assert tflite.convert(folder, tmp_path / "phone.tflite") == ""
    found = call(_on_a_phone, str(tmp_path / "phone.tflite"), image, environment={})
    np.testing.assert_allclose(found["scores"], right["scores"], rtol=1e-4)
    assert found["classes"].tolist() == right["classes"].tolist()


def _on_a_phone(path: str, image: np.ndarray) -> dict[str, Any]:
    import tensorflow as tf

    runner = tf.lite.Interpreter(path).get_signature_runner("phone")
    return dict(runner(image=image))
