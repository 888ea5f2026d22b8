"""No code of a model runs, whichever command reads it: proved by a file that the code would write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundler.errors import ConversionError
from bundler.runtimes.child import Child
from bundler.tfjs.layers import process
from bundler.tfjs.layers.configuration import translate
from tests.hostile.case import MANIFEST, Case
from tests.hostile.layers.roads import MARKER, Road
from tests.support.places import ROOT
from tests.tfjs.test_layers import NEEDS_KERAS

HOSTILE = ROOT / "tests" / "hostile" / "layers"
COMMANDS = {
    "build": ["build", "manifest.toml"],
    "check": ["check", "manifest.toml"],
    "inspect": ["inspect", "model"],
    "convert": ["convert", "model", "output"],
}


def run(command: list[str], project: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(project / "home")}
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


@NEEDS_KERAS
def test_a_model_is_built_in_spite_of_roads_that_are_not_read(tmp_path: Path) -> None:
    road = Road(tmp_path)
    for put in IGNORED.values():
        put(road)
    road.write()
    (tmp_path / "manifest.toml").write_text(MANIFEST)
    done = run(["build", "manifest.toml"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / MARKER).exists()


# Keras' answers ----------------------------------------------------------------------------------

GRAPH = {"topology": {}, "signature": {}, "variables": [], "openings": []}


def answering(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    """Have a program in Keras' place that gives this answer to every question."""
    program = f"from bundler.runtimes.child import serve; serve(lambda question: {answer!r})"
    monkeypatch.setattr(process, "start", lambda _: Child("Keras", [sys.executable, "-c", program]))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\x80", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"3", "found 3, expected an object"),
        (b'{"error": "two\\nlines \\u001b[31m"}', r"^Keras: two lines \?\[31m$"),
        (b'{"error": ["x"]}', "^Keras: an error without words$"),
        (json.dumps({**GRAPH, "topology": "x"}).encode(), "found 'x', expected an object"),
        (json.dumps({**GRAPH, "variables": [{"layer": "y", "name": 3, "shape": []}]}).encode(), "expected a string"),
        (json.dumps({**GRAPH, "variables": [{"layer": "y", "name": "k", "shape": [-1]}]}).encode(), "found -1"),
        (json.dumps({**GRAPH, "variables": [{"layer": "y", "name": "k", "shape": [None]}]}).encode(), "shape"),
    ],
)
def test_what_keras_answers_is_read_as_what_a_stranger_says(
    answer: bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, answer)
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ConversionError, match=words):
        process.graph(translate(Road(tmp_path).document["modelTopology"]), 100)
    assert not list(tmp_path.rglob("graph.json"))


def test_a_way_out_that_is_open_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answering(monkeypatch, json.dumps({**GRAPH, "openings": ["files: the kernel has no Landlock"]}).encode())
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "cache"))
    process.graph(translate(Road(tmp_path).document["modelTopology"]), 100)
    assert caplog.messages == ["Keras' process is not confined as it should be: files: the kernel has no Landlock"]


@NEEDS_KERAS
def test_keras_has_so_long_and_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_SECONDS", 0.2)
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ConversionError, match=r"Keras did not answer in 0\.2 s"):
        process.graph(translate(Road(tmp_path).document["modelTopology"]), 100)


@pytest.mark.parametrize("module", ["keras.py", "making.py", "options.py", "description.py"])
def test_the_key_of_a_kept_graph_covers_the_code_that_makes_it(module: str) -> None:
    """A change of any of these makes another graph, or another description of it."""
    text = (Path(process.__file__).parent / module).read_bytes()
    assert text in process._code()
