"""The compat modes: the same numbers as without, and what each of them promises."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import manifest
from bundler.manifest import Compat
from bundler.runtimes.tensorflow import Runtime
from tests.support.asking import ask, error, signatures
from tests.support.tflite import convert
from tests.support.zoo import feeds

NAMES = [
    "tiny",
    pytest.param("posenet", marks=pytest.mark.network),
    pytest.param("human", marks=[pytest.mark.network, pytest.mark.slow]),
    pytest.param("zoo", marks=[pytest.mark.network, pytest.mark.slow]),
]
TOLERANCE = 1e-5
"""Of the largest absolute value."""

NOT_TFLITE = {
    "models.faceboxes": "tensor arrays that two version 1 loops fill: TFLite has none",
    "models.facemesh-attention": "TFLite's converter dies over a concatenation: see PRODUCT_BEFORE_ZEROS",
    "models.rvm": "version 1 conditions within conditions: TFLite's converter does not find those that belong together",
}
"""Real models that do not become TFLite, and why."""

PRODUCT_BEFORE_ZEROS = """
import tensorflow as tf

@tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32)])
def joined(x):
    zeros = tf.zeros_like(x)
    return tf.concat([x * 0.5, zeros, zeros], 1)

tf.lite.TFLiteConverter.from_concrete_functions([joined.get_concrete_function()]).convert()
"""


def answers(runtime: Runtime, bundle: Path) -> dict[tuple[str, str], np.ndarray]:
    """All outputs of all signatures, for seeded inputs."""
    return {
        (key, output): value
        for key, signature in signatures(bundle).items()
        for output, value in ask(runtime, bundle, key, **feeds(key, signature)).items()
    }


@pytest.mark.parametrize("compat", [Compat.TFJS, Compat.TFLITE])
@pytest.mark.parametrize("name", NAMES)
def test_every_output_is_that_of_mode_none(
    name: str, compat: Compat, built: Callable[..., Path], runtime: Runtime
) -> None:
    expected, found = answers(runtime, built(name)), answers(runtime, built(name, compat=compat))
    assert found.keys() == expected.keys()
    errors = {place: error(found[place], value) for place, value in expected.items()}
    assert {place: wrong for place, wrong in errors.items() if not wrong <= TOLERANCE} == {}


@pytest.mark.parametrize("name", NAMES[:-1])
def test_tflite_takes_every_signature_with_its_builtins(
    name: str, built: Callable[..., Path], runtime: Runtime, tmp_path: Path
) -> None:
    import tensorflow as tf

    bundle, flatbuffer = built(name, compat=Compat.TFLITE), tmp_path / "bundle.tflite"
    assert convert(bundle, flatbuffer) == ""
    interpreter = tf.lite.Interpreter(model_content=flatbuffer.read_bytes())
    assert set(interpreter.get_signature_list()) == signatures(bundle).keys()


@pytest.mark.slow
@pytest.mark.network
def test_the_zoo_becomes_tflite_but_for_the_listed(manifest_of: Callable[[str], Path], tmp_path: Path) -> None:
    whole = manifest.read(manifest_of("zoo"))
    bundle = whole.bundle.model_copy(update={"compat": Compat.TFLITE})
    failed = {}
    for spec in whole.models:
        bundler.build(replace(whole, bundle=bundle, models=(spec,)), output=tmp_path / spec.name)
        failed[spec.name] = convert(tmp_path / spec.name, tmp_path / "bundle.tflite")
    assert {name: why for name, why in failed.items() if why and name not in NOT_TFLITE} == {}
    assert {name for name, why in failed.items() if not why} & NOT_TFLITE.keys() == set()


@pytest.mark.slow
def test_tflites_converter_dies_over_a_product_in_front_of_zeros() -> None:
    """What keeps `facemesh-attention` from TFLite, with none of our code: once this fails, the list can be shorter."""
    died = subprocess.run([sys.executable, "-c", PRODUCT_BEFORE_ZEROS], capture_output=True, check=False)
    assert died.returncode == -signal.SIGSEGV
