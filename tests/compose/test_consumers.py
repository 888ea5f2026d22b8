"""Composed signatures of real models give the same to every program that loads SavedModels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import manifest, sources
from bundler.bundle import Bundle
from bundler.runtimes.tensorflow import Runtime
from tests.support.answers import ONEDNN, answers
from tests.support.elsewhere import call
from tests.support.places import ROOT
from tests.support.saved_model_cli import saved_model_cli

pytestmark = [pytest.mark.network, pytest.mark.slow]

KEY = "serving_default"
PHOTOGRAPH = "npm:@vladmandic/human@3.3.6/models/blazeface.json"
"""A package that has a photograph of faces beside this model."""

Tensors = Mapping[str, np.ndarray]


class Asked:
    """An example's bundle, and the photograph as its input."""

    def __init__(self, folder: Path, name: str) -> None:
        jpeg = (sources.find(PHOTOGRAPH, Path()).parents[1] / "assets" / "samples.jpg").read_bytes()
        self.folder, self.scratch = folder, folder.parent
        self.input, value = ("images", [jpeg]) if name == "emotion" else ("image", jpeg)
        self.value = np.array(value, object)


def by_session(asked: Asked, runtime: Runtime) -> Tensors:
    return Bundle.open(asked.folder).endpoint(KEY).call(runtime, {asked.input: asked.value})


def by_loader(asked: Asked, _: Runtime) -> Tensors:
    return answers(asked.folder, {KEY: {asked.input: asked.value}}, ONEDNN)[KEY]


def by_keras(asked: Asked, _: Runtime) -> Tensors:
    return call(_in_keras, str(asked.folder), asked.value, environment=ONEDNN)


def _in_keras(folder: str, value: np.ndarray) -> Tensors:
    import tensorflow as tf

    layer = tf.keras.layers.TFSMLayer(folder, call_endpoint=KEY)
    return {name: output.numpy() for name, output in layer(tf.constant(value)).items()}


def by_command(asked: Asked, _: Runtime) -> Tensors:
    np.save(asked.scratch / "given.npy", asked.value.astype(bytes))  # without pickles, which the tool refuses
    saved = asked.scratch / "answers"
    saved_model_cli(
        "run",
        *("--dir", str(asked.folder), "--tag_set", "serve", "--signature_def", KEY),
        *("--inputs", f"{asked.input}={asked.scratch / 'given.npy'}", "--outdir", str(saved)),
    )
    return {path.stem: np.load(path, allow_pickle=True) for path in saved.glob("*.npy")}


CONSUMERS: Mapping[str, Callable[[Asked, Runtime], Tensors]] = {
    "tf.saved_model.load": by_loader,
    "TFSMLayer": by_keras,
    "saved_model_cli": by_command,
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Asked]:
    @cache
    def build(name: str, weights: str) -> Asked:
        spec = manifest.read(ROOT / "examples" / f"{name}.toml")
        output = tmp_path_factory.mktemp("examples") / name
        held = replace(spec, bundle=spec.bundle.model_copy(update={"weights": weights}))
        bundler.build(held, output=output)
        return Asked(output, name)

    return build


@pytest.fixture(scope="module")
def expected(built: Callable[[str, str], Asked], runtime: Runtime) -> Callable[[str], Tensors]:
    """What a session gives for the bundle with constants: test_examples.py compares it with TensorFlow.js."""
    return cache(lambda name: by_session(built(name, "constants"), runtime))


@pytest.mark.parametrize("weights", ["constants", "variables"])
@pytest.mark.parametrize("consumer", ["session", *CONSUMERS])
@pytest.mark.parametrize("name", ["posenet", "emotion", "faces", "selfie"])
def test_every_consumer_gives_the_same(
    name: str,
    consumer: str,
    weights: str,
    built: Callable[[str, str], Asked],
    expected: Callable[[str], Tensors],
    runtime: Runtime,
) -> None:
    found = {**CONSUMERS, "session": by_session}[consumer](built(name, weights), runtime)
    assert found.keys() == expected(name).keys()
    for output, right in expected(name).items():
        if right.dtype == object:
            assert found[output].tolist() == right.tolist()
        else:
            np.testing.assert_allclose(found[output], right, rtol=0, atol=1e-6 * np.abs(right).max(), err_msg=output)


@pytest.mark.parametrize("name", ["posenet", "emotion", "faces", "selfie"])
def test_saved_model_cli_shows_a_composed_signature(name: str, built: Callable[[str, str], Asked]) -> None:
    asked = built(name, "constants")
    shown = saved_model_cli("show", "--dir", str(asked.folder), "--all")
    (own,) = [part for part in shown.split("signature_def[") if part.startswith(f"'{KEY}'")]
    assert f"inputs['{asked.input}'] tensor_info:\n        dtype: DT_STRING" in own
