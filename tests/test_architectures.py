"""Whole architectures, by the converter of TensorFlow.js and by bundler, give the numbers of TensorFlow's originals."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from bundler import manifest, pipeline
from bundler.runtime import Runtime
from tests.answers import NO_ONEDNN, ONEDNN, Tensors, answers
from tests.architectures.table import ANSWERS, TOLERANCES, Answer
from tests.asking import ask

ROOT = Path(__file__).parents[1]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("tensorflowjs", "tf_keras")),
        reason="needs the packages of the extra `layers`",
    ),
]
Results = Mapping[str, Tensors]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models, converted, in a folder each; the originals were asked without oneDNN."""
    made = tmp_path_factory.mktemp("architectures")
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "TF_USE_LEGACY_KERAS": "1", **NO_ONEDNN}
    command = [sys.executable, "-m", "tests.architectures.make", str(made)]
    told = subprocess.run(command, cwd=ROOT, env={**os.environ, **quiet}, capture_output=True, check=False)
    assert told.returncode == 0, told.stderr.decode()[-3000:]
    return made


@pytest.fixture(scope="module")
def expected(folder: Path) -> Mapping[str, Answer]:
    return {name: Answer(*told) for name, told in pickle.loads((folder / ANSWERS).read_bytes()).items()}


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Path:
    """All of them in one bundle."""
    models = "".join(f'[[model]]\nname = "{name}"\nsource = "{name}"\n' for name in TOLERANCES)
    (folder / "bundle.toml").write_text(f'[bundle]\nname = "architectures"\n{models}')
    pipeline.build(manifest.read(folder / "bundle.toml"), output=folder / "bundle")
    return folder / "bundle"


@pytest.fixture(scope="module")
def without_onednn() -> Iterator[Runtime]:
    with Runtime(environment=NO_ONEDNN) as running:
        yield running


@pytest.fixture(scope="module")
def roads(
    bundle: Path, expected: Mapping[str, Answer], runtime: Runtime, without_onednn: Runtime
) -> Mapping[str, Callable[[], Results]]:
    feeds = {name: answer.feeds for name, answer in expected.items()}

    def session(running: Runtime) -> Callable[[], Results]:
        return lambda: {name: ask(running, bundle, name, **given) for name, given in feeds.items()}

    return {
        "session": session(runtime),
        "session, no oneDNN": session(without_onednn),
        "saved_model.load": lambda: answers(bundle, feeds, ONEDNN),
        "saved_model.load, no oneDNN": lambda: answers(bundle, feeds, NO_ONEDNN),
    }


@pytest.mark.parametrize("road", ["session", "session, no oneDNN", "saved_model.load", "saved_model.load, no oneDNN"])
def test_an_architecture_gives_the_numbers_of_its_original(
    road: str, roads: Mapping[str, Callable[[], Results]], expected: Mapping[str, Answer]
) -> None:
    found = roads[road]()
    errors = {name: _error(found[name], answer.outputs) for name, answer in expected.items()}
    assert {name: error for name, error in errors.items() if not error <= TOLERANCES[name]} == {}, errors


def _error(found: Tensors, right: Tensors) -> float:
    """The largest difference, as a part of its output's range."""
    assert found.keys() == right.keys()
    return max(_distance(found[name], value) / max(float(np.ptp(value)), 1e-30) for name, value in right.items())


def _distance(found: np.ndarray, right: np.ndarray) -> float:
    assert found.shape == right.shape
    return float(np.abs(found.astype(np.float64) - right).max(initial=0))
