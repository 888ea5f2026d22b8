"""Layers models compute what they computed where they were made, and stand beside graph models in a bundle."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import sources, tfjs
from bundler.artifacts import artifact
from bundler.errors import ConversionError
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.support.asking import ask
from tests.support.places import ROOT

DIGITS = ROOT / "manifests" / "models" / "digits"
UPSCALER = "npm:@upscalerjs/default-model@1.0.0/models"
TOLERANCE = 1e-5
"""Of the largest absolute value."""

MISSING = [name for name in ("tensorflowjs", "tf_keras") if importlib.util.find_spec(name) is None]
NEEDS_KERAS = pytest.mark.skipif(
    bool(MISSING), reason=f"the extra `layers` is not installed: no {' and no '.join(MISSING)}"
)
FROM_JAVASCRIPT = ["every_layer", "nested"]
FROM_PYTHON = ["keras-heads", "keras-sequential", "tf_keras-heads", "tf_keras-sequential"]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, tensorflowjs_modules: Path) -> Path:
    """The folder of the models that a program in JavaScript writes."""
    folder = tmp_path_factory.mktemp("layers")
    subprocess.run(["node", ROOT / "tests" / "node" / "layers.js", tensorflowjs_modules, folder], check=True)
    return folder


@pytest.fixture(scope="session")
def made_in_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the models that programs of Keras 2 and Keras 3 write."""
    folder = tmp_path_factory.mktemp("layers")
    quiet = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    program = [sys.executable, ROOT / "tests" / "support" / "keras_models.py", folder]
    subprocess.run(program, env={**os.environ, **quiet}, capture_output=True, check=True)
    return folder


def build(output: Path, compat: str = "none", **sources: str) -> Path:
    """A bundle of models by their names, each under its own signature."""
    models = (
        f"[[model]]\nname = {json.dumps(name)}\nsource = {json.dumps(source)}" for name, source in sources.items()
    )
    spec = output.with_suffix(".toml")
    spec.write_text("\n".join([f'[bundle]\nname = "b"\ncompat = "{compat}"', *models]))
    bundler.build(spec, output=output)
    return output


def assert_close(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> None:
    """Equal names and shapes, and numbers within TOLERANCE."""
    assert found.keys() == expected.keys()
    assert {name: value.shape for name, value in found.items()} == {
        name: value.shape for name, value in expected.items()
    }
    errors = {
        name: np.abs(found[name] - value).max() / max(np.abs(value).max(), 1e-6) for name, value in expected.items()
    }
    assert {name: error for name, error in errors.items() if not error <= TOLERANCE} == {}


# The same numbers --------------------------------------------------------------------------------


def feeds(javascript: TensorFlowJs, entry: Path) -> dict[str, np.ndarray]:
    """Seeded inputs, in batches of two."""
    random = np.random.default_rng(3)
    shapes = {port.name: (2, *(port.shape or ())[1:]) for port in javascript.describe(entry).inputs}
    return {
        name: (random.integers(0, 3, shape) if name == "tokens" else random.uniform(-1, 1, shape)).astype(np.float32)
        for name, shape in shapes.items()
    }


@pytest.mark.parametrize("name", FROM_JAVASCRIPT)
def test_a_model_from_javascript_gives_the_browsers_numbers(
    name: str, made: Path, javascript: TensorFlowJs, runtime: Runtime, tmp_path: Path
) -> None:
    entry = made / name / "model.json"
    given = feeds(javascript, entry)
    bundle = build(tmp_path / name, m=str(made / name))
    assert_close(ask(runtime, bundle, "serving_default", **given), javascript.run(entry, given))


@pytest.mark.parametrize("compat", ["tfjs", "tflite"])
def test_the_compat_modes_change_no_number(
    compat: str, made: Path, javascript: TensorFlowJs, runtime: Runtime, tmp_path: Path
) -> None:
    given = feeds(javascript, made / "every_layer" / "model.json")
    one, other = (build(tmp_path / mode, mode, m=str(made / "every_layer")) for mode in ("none", compat))
    expected = ask(runtime, one, "serving_default", **given)
    assert_close(ask(runtime, other, "serving_default", **given), expected)


@NEEDS_KERAS
@pytest.mark.parametrize("name", FROM_PYTHON)
def test_a_model_from_python_gives_the_numbers_of_its_keras(
    name: str, made_in_python: Path, runtime: Runtime, tmp_path: Path
) -> None:
    inputs, outputs = (dict(np.load(made_in_python / name / f"{side}.npz")) for side in ("inputs", "outputs"))
    bundle = build(tmp_path / name, m=str(made_in_python / name))
    assert_close(ask(runtime, bundle, "serving_default", **inputs), outputs)


@pytest.mark.network
def test_layers_models_stand_in_one_bundle_with_a_graph_model(
    made: Path, tmp_path: Path, javascript: TensorFlowJs, runtime: Runtime
) -> None:
    bundle = build(tmp_path / "mixed", upscaler=UPSCALER, digits=str(DIGITS), nested=str(made / "nested"))
    image = {"LR": np.random.default_rng(0).random((1, 24, 16, 3), np.float32)}
    files = sources.fetch(UPSCALER, tmp_path)
    assert_close(ask(runtime, bundle, "upscaler", **image), javascript.run(files.path(files.entry), image))
    for key, entry in {"digits": DIGITS / "model.json", "nested": made / "nested" / "model.json"}.items():
        given = feeds(javascript, entry)
        assert_close(ask(runtime, bundle, key, **given), javascript.run(entry, given))


# Names, weights, bytes ---------------------------------------------------------------------------


@NEEDS_KERAS
def test_inputs_and_outputs_are_named_after_keras_layers(made_in_python: Path) -> None:
    (signature,) = tfjs.read(artifact.open(made_in_python / "keras-heads")).signatures.values()
    assert set(signature.inputs) == {"image", "series", "vector"}
    assert set(signature.outputs) == {"scores", "add", "bidirectional"}


def test_inputs_and_outputs_have_the_names_that_the_browser_gives_them(made: Path, javascript: TensorFlowJs) -> None:
    (signature,) = tfjs.read(artifact.open(made / "nested")).signatures.values()
    described = javascript.describe(made / "nested" / "model.json")
    assert list(signature.inputs) == [port.name for port in described.inputs]
    assert list(signature.outputs) == [port.name for port in described.outputs]


def test_the_weights_stay_in_their_files(made: Path) -> None:
    model = tfjs.read(artifact.open(made / "nested"))
    stored = (made / "nested" / "weights.bin").stat().st_size
    assert sum(weight.stored_bytes for weight in model.graph.weights.values()) == stored
    assert all(weight.is_verbatim for weight in model.graph.weights.values())


def test_a_model_has_the_same_bytes_each_time(made: Path, tmp_path: Path) -> None:
    one, other = (build(tmp_path / name, m=str(made / "every_layer")) for name in ("one", "other"))
    assert (one / "saved_model.pb").read_bytes() == (other / "saved_model.pb").read_bytes()


def test_a_layers_model_is_read_without_keras(made: Path) -> None:
    program = "import sys; from pathlib import Path; from bundler import tfjs; from bundler.artifacts import artifact; "
    program += "tfjs.read(artifact.open(Path(sys.argv[1]))); print(sorted(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program, made / "every_layer"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in ast.literal_eval(run.stdout)}
    assert not loaded & {"tf_keras", "keras", "tensorflowjs"}
    assert "tensorflow.python" not in ast.literal_eval(run.stdout)


# What is refused ---------------------------------------------------------------------------------


def written(folder: Path, *layers: Mapping[str, object], version: str = "2.15.0", **document: object) -> Path:
    """A Sequential of these layers, without weights."""
    config = {"name": "sequential", "layers": list(layers)}
    topology = {"keras_version": version, "model_config": {"class_name": "Sequential", "config": config}}
    path = folder / "model.json"
    path.write_text(json.dumps({"modelTopology": topology, "weightsManifest": [], **document}))
    return path


DENSE = {"class_name": "Dense", "config": {"name": "wide", "units": 3, "batch_input_shape": [None, 2]}}
LAMBDA = {"class_name": "Lambda", "config": {"name": "sly", "function": ["4wEAAAA=", None, None]}}


def test_a_layer_that_would_run_code_of_the_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"layer 'sly': Keras layers of this kind .*'Lambda'"):
        tfjs.read(artifact.open(written(tmp_path, DENSE, LAMBDA)))


def test_an_input_that_a_layer_does_not_take_is_an_error_that_names_the_layer(tmp_path: Path) -> None:
    flat = {"class_name": "Conv2D", "config": {"name": "flat", "filters": 3, "kernel_size": 2}}
    with pytest.raises(ConversionError, match=r"layer 'flat': .* rank \(found \[\?, 3\], expected 4 dimensions\)"):
        tfjs.read(artifact.open(written(tmp_path, DENSE, flat)))


def test_a_missing_weight_is_an_error_that_names_it_and_its_layer(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"layer 'wide': the model has no weight for 'wide/kernel'"):
        tfjs.read(artifact.open(written(tmp_path, DENSE)))


@pytest.mark.parametrize(
    ("source", "asked", "found"), [(DIGITS, "layers", "graph"), (None, "graph", "layers")], ids=["layers", "graph"]
)
def test_a_model_of_another_format_than_the_manifest_says_is_an_error(
    source: Path | None, asked: str, found: str, tmp_path: Path
) -> None:
    spec = tmp_path / "b.toml"
    place = source or written(tmp_path, DENSE)
    spec.write_text(f'[bundle]\nname = "b"\n[[model]]\nname = "m"\nsource = "{place}"\nformat = "{asked}"\n')
    with pytest.raises(ConversionError, match=rf"another format \(found {found}, expected {asked}\)"):
        bundler.build(spec, output=tmp_path / "out")


def test_what_is_neither_graph_nor_layers_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"modelTopology": {"layers": []}}')
    with pytest.raises(ConversionError, match="no model of TensorFlow.js"):
        tfjs.read(artifact.open(tmp_path))
