"""Layers models compute what they computed where they were made, and stand beside graph models in a bundle."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import sources, tfjs
from bundler.artifacts import artifact
from bundler.errors import ConversionError
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.support.asking import ask, signatures
from tests.support.places import ROOT

DIGITS = ROOT / "manifests" / "models" / "digits"
UPSCALER = "npm:@upscalerjs/default-model@1.0.0/models"
TOLERANCE = 1e-4
"""Of the largest absolute value."""

MISSING = [name for name in ("tensorflowjs", "tf_keras") if importlib.util.find_spec(name) is None]
NEEDS_KERAS = pytest.mark.skipif(
    bool(MISSING), reason=f"the extra `layers` is not installed: no {' and no '.join(MISSING)}"
)
FROM_JAVASCRIPT = ["every_layer", "nested"]
FROM_PYTHON = ["keras-heads", "keras-sequential", "tf_keras-heads", "tf_keras-sequential"]

Bundles = Mapping[str, "Future[Path]"]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, tensorflowjs_modules: Path) -> Path:
    """The folder of all models, as programs in JavaScript and in Python write them."""
    folder = tmp_path_factory.mktemp("layers")
    subprocess.run(["node", ROOT / "tests" / "node" / "layers.js", tensorflowjs_modules, folder], check=True)
    quiet = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    program = [sys.executable, ROOT / "tests" / "support" / "keras_models.py", folder]
    subprocess.run(program, env={**os.environ, **quiet}, capture_output=True, check=True)
    return folder


@pytest.fixture(scope="session")
def bundles(made: Path) -> Bundles:
    """A bundle of each model, in a folder beside it; two are built at a time, for Keras takes its while to start."""
    with ThreadPoolExecutor(2) as pool:
        names = [*FROM_JAVASCRIPT, *FROM_PYTHON]
        return {name: pool.submit(build, made / f"{name}-bundle", m=str(made / name)) for name in names}


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


@NEEDS_KERAS
@pytest.mark.parametrize("name", FROM_JAVASCRIPT)
def test_a_model_from_javascript_gives_the_browsers_numbers(
    name: str, made: Path, bundles: Bundles, javascript: TensorFlowJs, runtime: Runtime
) -> None:
    entry = made / name / "model.json"
    given = feeds(javascript, entry)
    assert_close(ask(runtime, bundles[name].result(), "serving_default", **given), javascript.run(entry, given))


@NEEDS_KERAS
@pytest.mark.parametrize("compat", ["tfjs", "tflite"])
def test_the_compat_modes_change_no_number(
    compat: str, made: Path, bundles: Bundles, javascript: TensorFlowJs, runtime: Runtime, tmp_path: Path
) -> None:
    given = feeds(javascript, made / "every_layer" / "model.json")
    other = build(tmp_path / compat, compat, m=str(made / "every_layer"))
    expected = ask(runtime, bundles["every_layer"].result(), "serving_default", **given)
    assert_close(ask(runtime, other, "serving_default", **given), expected)


@NEEDS_KERAS
@pytest.mark.parametrize("name", FROM_PYTHON)
def test_a_model_from_python_gives_the_numbers_of_its_keras(
    name: str, made: Path, bundles: Bundles, runtime: Runtime
) -> None:
    inputs, outputs = (dict(np.load(made / name / f"{side}.npz")) for side in ("inputs", "outputs"))
    assert_close(ask(runtime, bundles[name].result(), "serving_default", **inputs), outputs)


@NEEDS_KERAS
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
def test_inputs_and_outputs_are_named_after_keras_layers(bundles: Bundles) -> None:
    (signature,) = signatures(bundles["keras-heads"].result()).values()
    assert set(signature.inputs) == {"image", "series", "vector"}
    assert set(signature.outputs) == {"scores", "add", "bidirectional"}


@NEEDS_KERAS
def test_the_weights_stay_in_their_files(made: Path) -> None:
    model = tfjs.read(artifact.open(made / "nested"))
    stored = (made / "nested" / "weights.bin").stat().st_size
    assert sum(weight.stored_bytes for weight in model.graph.weights.values()) == stored
    assert all(weight.is_verbatim for weight in model.graph.weights.values())


@NEEDS_KERAS
def test_keras_makes_the_same_graph_each_time(
    made: Path, bundles: Bundles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "another cache"))
    again = build(tmp_path / "again", m=str(made / "nested"))
    assert (again / "saved_model.pb").read_bytes() == (bundles["nested"].result() / "saved_model.pb").read_bytes()


@NEEDS_KERAS
def test_a_kept_graph_that_was_damaged_is_made_again(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "cache"))
    first = build(tmp_path / "first", m=str(made / "nested"))
    (kept,) = tmp_path.glob("cache/objects/*/graph.json")
    kept.write_bytes(kept.read_bytes().replace(b"DT_FLOAT", b"DT_INT32"))
    again = build(tmp_path / "again", m=str(made / "nested"))
    assert (again / "saved_model.pb").read_bytes() == (first / "saved_model.pb").read_bytes()


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


def test_without_the_extra_the_error_has_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tf_keras", None)  # to Python, this is: not installed
    with pytest.raises(ConversionError, match="layers model") as caught:
        tfjs.read(artifact.open(written(tmp_path, DENSE)))
    (fault,) = caught.value.faults
    assert "no tf_keras" in fault.found
    assert fault.hint == "pip install 'tfjs-bundler[layers]'"


def test_a_layer_that_would_run_code_of_the_model_never_reaches_keras(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"layer 'sly': Keras layers of this kind .*'Lambda'"):
        tfjs.read(artifact.open(written(tmp_path, DENSE, LAMBDA)))


@NEEDS_KERAS
def test_what_keras_refuses_is_an_error_in_its_words(tmp_path: Path) -> None:
    flat = {"class_name": "Conv2D", "config": {"name": "flat", "filters": 3, "kernel_size": 2}}
    with pytest.raises(ConversionError, match=r"model.json: Keras: ValueError: .*layer \"flat\""):
        tfjs.read(artifact.open(written(tmp_path, DENSE, flat)))


@NEEDS_KERAS
def test_a_missing_weight_is_an_error_that_names_it_and_its_layer(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"layer 'wide': the model has no weight for 'wide/kernel:0'"):
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
