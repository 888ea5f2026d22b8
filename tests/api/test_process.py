"""What importing and calling the API does to the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bundler.api as tfjs
from tests.api.conftest import Written
from tests.support.places import ROOT

PROGRAM = """
import os, sys
before = dict(os.environ), list(sys.path)
import bundler.api as tfjs
assert (dict(os.environ), list(sys.path)) == before
graph_def = tfjs.GraphDef()
graph_def.node.add(name="x", op="Placeholder")
assert tfjs.get_input_tensors(graph_def) == ["x:0"]
tfjs.graph_model_to_saved_model(sys.argv[1], sys.argv[2])
assert dict(os.environ) == before[0]
assert not {"tensorflow", "tensorflowjs", "keras"} & set(sys.modules), "TensorFlow was imported"
import tensorflow
assert tfjs.GraphDef is tensorflow.compat.v1.GraphDef
"""


def test_a_conversion_imports_no_tensorflow_and_changes_no_environment(tmp_path: Path, model_dir: Written) -> None:
    command = [sys.executable, "-c", PROGRAM, model_dir("simple"), str(tmp_path / "out")]
    root = str(ROOT)
    ended = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("enabled", [False, True])
def test_gpus_are_hidden_from_checks_until_cuda_is_enabled(
    enabled: bool, tmp_path: Path, model_dir: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BUNDLER_CUDA", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    seen = []

    class Watched(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **settings: Any) -> None:
            seen.append(settings["env"]["CUDA_VISIBLE_DEVICES"])
            super().__init__(*args, **settings)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    if enabled:
        monkeypatch.setenv("BUNDLER_CUDA", "0")  # so that it is put back
        tfjs.enable_cuda()
    tfjs.graph_model_to_saved_model(model_dir("simple"), str(tmp_path / "saved"))
    tfjs.graph_model_to_frozen_graph(model_dir("simple"), str(tmp_path / "frozen.pb"))
    assert set(seen) == {"0" if enabled else "-1"}
    assert len(seen) == 2
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
