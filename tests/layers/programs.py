"""The three libraries that write layers models, each in a process of its own that makes all models of the suite."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.layers.case import JAVASCRIPT, KERAS_2, KERAS_3, Case, Origin
from tests.layers.model import document, feeds

__all__ = ["Answer", "Answers", "entry", "offered", "reference"]

ROOT = Path(__file__).parents[2]
SEED = 7
FOLDERS: Mapping[Origin, str] = {JAVASCRIPT: "javascript", KERAS_2: "tf_keras", KERAS_3: "keras"}
QUIET = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}


class Answer(NamedTuple):
    """What a library gives for a model: its inputs and outputs by their names, in order.

    `reloads` is empty if it gives the same for the file that it writes, else it says what happens.
    """

    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]
    reloads: str = ""


Answers = Mapping[str, "Answer | str"]
"""By case, or the words of a refusal."""


def reference(origin: Origin, cases: Sequence[Case], node_modules: Path, folder: Path) -> Answers:
    """Make all models in a folder with a library, and what it gives for them."""
    given = {case.id: feeds(case.model, SEED) for case in cases}
    asked = [
        {"id": case.id, "model": document(case.model), "feeds": [_feed(value) for value in given[case.id]]}
        for case in cases
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.json").write_text(json.dumps(asked))
    run = subprocess.run(
        _command(origin, node_modules, folder), cwd=ROOT, env={**os.environ, **QUIET}, capture_output=True, check=False
    )
    assert run.returncode == 0, run.stderr.decode()[-3000:]
    found = json.loads((folder / FOLDERS[origin] / "answers.json").read_text())
    return {name: _answer(told, given[name]) for name, told in found.items()}


def entry(origin: Origin, case: Case, folder: Path) -> Path:
    """The file of a model that `reference` made in `folder`."""
    return folder / FOLDERS[origin] / case.id / "model.json"


def offered(origin: Origin, folder: Path) -> set[str]:
    """The layers that a library has, after `reference`."""
    return set(json.loads((folder / FOLDERS[origin] / "layers.json").read_text()))


def _command(origin: Origin, node_modules: Path, folder: Path) -> list[str]:
    if origin == JAVASCRIPT:
        return ["node", str(Path(__file__).with_name("javascript.js")), str(node_modules), str(folder)]
    return [sys.executable, "-m", "tests.layers.keras", FOLDERS[origin], str(folder)]


def _feed(value: np.ndarray) -> dict[str, Any]:
    return {"dtype": value.dtype.name, "shape": list(value.shape), "values": value.ravel().tolist()}


def _answer(told: Mapping[str, Any], given: Sequence[np.ndarray]) -> Answer | str:
    if "error" in told:
        return str(told["error"])
    names = _unique([output["name"] for output in told["outputs"]])
    outputs = dict(zip(names, map(_value, told["outputs"])))
    return Answer(dict(zip(told["inputs"], given)), outputs, told.get("reloads", ""))


def _value(output: Mapping[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(output["data"]), output["dtype"]).reshape(output["shape"])


def _unique(names: Sequence[str]) -> list[str]:
    """Names as Keras makes them unique: `lstm`, `lstm_1`, `lstm_2` for the results of one layer."""
    return [name + (f"_{names[:at].count(name)}" if name in names[:at] else "") for at, name in enumerate(names)]
