"""Architectures of Keras, converted as layers models, give the numbers of Keras on every road."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from bundler.ir.model import Model
from tests.layers.applications import SIZES
from tests.layers.judge import distance
from tests.layers.run import ROADS, Roads, built, results
from tests.layers.test_layers import all_roads  # noqa: F401 - a fixture
from tests.support.places import ROOT
from tests.tfjs.test_layers import NEEDS_KERAS

pytestmark = [pytest.mark.slow, NEEDS_KERAS]
TOLERANCE = 1e-5
"""The largest error, as a part of the largest probability."""

Arrays = Mapping[str, np.ndarray]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models, in a folder each; the originals ran without oneDNN."""
    folder = tmp_path_factory.mktemp("applications")
    quiet = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    program = [sys.executable, "-m", "tests.layers.applications", str(folder)]
    run = subprocess.run(program, cwd=ROOT, env={**os.environ, **quiet}, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()[-3000:]
    return folder


@pytest.fixture(scope="module")
def models(written: Path) -> Mapping[str, Model | str]:
    return built({name: written / name / "model.json" for name in SIZES})


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("name", SIZES)
def test_an_architecture_gives_the_numbers_of_keras(
    name: str,
    road: str,
    written: Path,
    models: Mapping[str, Model | str],
    all_roads: Roads,  # noqa: F811
    tmp_path: Path,
) -> None:
    model = models[name]
    assert isinstance(model, Model), model
    inputs, outputs = (dict(np.load(written / name / f"{side}.npz")) for side in ("inputs", "outputs"))
    (found,) = results({name: model}, {name: inputs}, all_roads[road], tmp_path).values()
    assert not isinstance(found, str), found
    assert distance(found, outputs) <= TOLERANCE
