"""No code of a model runs, whichever command reads it: proved by a file that the code would write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundler.tfjs.layers.configuration import translate
from tests.hostile.case import MANIFEST, Case
from tests.hostile.layers.roads import MARKER, Road
from tests.support.places import ROOT

HOSTILE = ROOT / "tests" / "hostile" / "layers"
COMMANDS = {
    "build": ["build", "manifest.toml"],
    "check": ["check", "manifest.toml"],
    "inspect": ["inspect", "model"],
    "convert": ["convert", "model", "output"],
}


def run(command: list[str], project: Path) -> subprocess.CompletedProcess[str]:
    outside = project.with_name(f"{project.name} home")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(outside)}
    program = [sys.executable, "-m", "bundler", *command]
    return subprocess.run(program, cwd=project, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=list(COMMANDS))
@pytest.mark.parametrize("road", ["dtype-config", "call-unknown-keyword"])
def test_no_command_runs_the_code_of_a_model(road: str, command: list[str], tmp_path: Path) -> None:
    Case(HOSTILE / road).set_up(tmp_path)
    done = run(command, tmp_path)
    assert done.returncode == 5, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.toml", "model"]


IGNORED: dict[str, Callable[[Road], Any]] = {
    "initializer": lambda road: road.config.update(kernel_initializer=road.code, bias_initializer=road.hidden),
    "regularizer": lambda road: road.config.update(activity_regularizer=road.hidden, kernel_regularizer=road.code),
    "constraint": lambda road: road.config.update(kernel_constraint=road.code),
    "seed": lambda road: road.config.update(seed=road.hidden, noise_shape=road.stack),
    "trainable": lambda road: road.config.update(trainable=road.hidden),
    "quantization": lambda road: road.config.update(quantization_config=road.hidden),
    "build configuration": lambda road: road.layer.update(build_config=road.hidden),
    "compile configuration": lambda road: road.layer.update(compile_config=road.hidden),
    "module": lambda road: road.layer.update(module="os", registered_name=road.hidden),
    "shared object": lambda road: road.layer.update(shared_object_id=road.hidden),
    "dtype of the model": lambda road: road.model.update(dtype=road.hidden, trainable=road.hidden),
    "entry of the model": lambda road: road.document["modelTopology"]["model_config"].update(build_config=road.hidden),
    "topology": lambda road: road.document["modelTopology"].update(training_config=road.hidden, backend=road.stack),
    "training": lambda road: road.document.update(trainingConfig=road.hidden),
    "metadata": lambda road: road.document.update(userDefinedMetadata={"code": road.hidden}),
}
"""What has no bearing on the numbers of a trained model, and is not read."""


@pytest.mark.parametrize("road", IGNORED)
def test_a_road_that_is_not_read_leaves_no_trace_in_the_description(road: str, tmp_path: Path) -> None:
    plain, changed = Road(tmp_path), Road(tmp_path)
    IGNORED[road](changed)
    assert translate(changed.document["modelTopology"]) == translate(plain.document["modelTopology"])


def test_a_model_is_built_in_spite_of_roads_that_are_not_read(tmp_path: Path) -> None:
    road = Road(tmp_path)
    for put in IGNORED.values():
        put(road)
    road.write()
    (tmp_path / "manifest.toml").write_text(MANIFEST)
    done = run(["build", "manifest.toml"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / MARKER).exists()
