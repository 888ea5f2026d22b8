"""Whole architectures, by the converter of TensorFlow.js and by bundler, give the numbers of TensorFlow's originals."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler.runtimes.tensorflow import Runtime
from tests.support.answers import NO_ONEDNN, ONEDNN, Tensors, answers
from tests.support.asking import ask
from tests.support.places import ROOT
from tests.whole.architectures.table import ANSWERS, BUNDLES, TOLERANCES, Answer

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
    command = [sys.executable, "-m", "tests.whole.architectures.make", str(made)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **quiet}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return made


@pytest.fixture(scope="module")
def expected(folder: Path) -> Mapping[str, Answer]:
    return {name: Answer(*values) for name, values in pickle.loads((folder / ANSWERS).read_bytes()).items()}


@pytest.fixture(scope="module")
def built(folder: Path) -> Callable[[str], Path]:
    """A bundle of several, made when first asked for."""

    @cache
    def build(name: str) -> Path:
        models = "".join(
            f'[[model]]\nname = "{model}"\nsource = "{model}"\n[[model.signature]]\nkey = "{model}"\n'
            for model in BUNDLES[name]
        )
        (folder / f"{name}.toml").write_text(f'[bundle]\nname = "architectures"\n{models}')
        bundler.build(folder / f"{name}.toml", output=folder / "bundles" / name)
        return folder / "bundles" / name

    return build


@pytest.fixture(scope="module")
def without_onednn() -> Iterator[Runtime]:
    with Runtime(environment=NO_ONEDNN) as running:
        yield running


@pytest.fixture(scope="module")
def roads(runtime: Runtime, without_onednn: Runtime) -> Mapping[str, Callable[[Path, Results], Results]]:
    def session(running: Runtime) -> Callable[[Path, Results], Results]:
        return lambda bundle, feeds: {name: ask(running, bundle, name, **given) for name, given in feeds.items()}

    return {
        "session": session(runtime),
        "session, no oneDNN": session(without_onednn),
        "saved_model.load": lambda bundle, feeds: answers(bundle, feeds, ONEDNN),
        "saved_model.load, no oneDNN": lambda bundle, feeds: answers(bundle, feeds, NO_ONEDNN),
    }


@pytest.mark.parametrize("road", ["session", "session, no oneDNN", "saved_model.load", "saved_model.load, no oneDNN"])
@pytest.mark.parametrize("bundle", BUNDLES)
def test_architectures_give_the_numbers_of_their_originals(
    bundle: str,
    road: str,
    built: Callable[[str], Path],
    roads: Mapping[str, Callable[[Path, Results], Results]],
    expected: Mapping[str, Answer],
) -> None:
    originals = {name: expected[name] for name in BUNDLES[bundle]}
    found = roads[road](built(bundle), {name: answer.feeds for name, answer in originals.items()})
    errors = {name: _error(found[name], answer.outputs) for name, answer in originals.items()}
    assert {name: error for name, error in errors.items() if not error <= TOLERANCES[name]} == {}, errors


def _error(found: Tensors, right: Tensors) -> float:
    """The largest difference, as a part of its output's range."""
    assert found.keys() == right.keys()
    return max(_distance(found[name], value) / max(float(np.ptp(value)), 1e-30) for name, value in right.items())


def _distance(found: np.ndarray, right: np.ndarray) -> float:
    assert found.shape == right.shape
    return float(np.abs(found.astype(np.float64) - right).max(initial=0))
