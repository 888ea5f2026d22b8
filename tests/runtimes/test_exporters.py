"""TFLite's converter and LiteRT, tf2onnx and ONNX Runtime, each in a child process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from bundler.runtimes.exporters import Exporter
from bundler.runtimes.failures import Refused
from tests.support.models import placeholder, write_model

FLOAT = DType.float32
SERVE = ["serve"]


def built(folder: Path, *nodes: object) -> Path:
    write_model(folder / "m", nodes)  # type: ignore[arg-type]
    (folder / "b.toml").write_text('[bundle]\nname = "b"\n\n[[model]]\nname = "m"\nsource = "m"\n')
    bundler.build(folder / "b.toml", output=folder / "b")
    return folder / "b"


@pytest.fixture(scope="module")
def tflite() -> Iterator[Exporter]:
    with Exporter("tflite") as exporter:
        yield exporter


@pytest.mark.long
def test_a_tflite_file_gives_the_outputs_by_name_for_any_number_of_rows(tflite: Exporter, tmp_path: Path) -> None:
    folder = built(tmp_path, placeholder("x", None, 3), new_node("Relu", "y", ["x"], T=FLOAT))
    tflite.convert(folder, SERVE, ["serving_default"], tmp_path / "y.tflite")
    for rows in (1, 4):
        found = tflite.run(tmp_path / "y.tflite", "serving_default", {"x": np.full((rows, 3), -2, np.float32)})
        assert (list(found), found["y"].tolist()) == (["y"], [[0.0] * 3] * rows)


@pytest.mark.long
def test_ops_without_a_builtin_are_named_with_their_nodes(tflite: Exporter, tmp_path: Path) -> None:
    nodes = [new_node("Erf", "curve", ["x"], T=FLOAT), new_node("Tan", "y", ["curve"], T=FLOAT)]
    folder = built(tmp_path, placeholder("x", 3), *nodes)
    with pytest.raises(Refused) as refusal:
        tflite.convert(folder, SERVE, ["serving_default"], tmp_path / "y.tflite")
    assert refusal.value.fault.what == "TFLite has no builtin op for Erf (m/curve), Tan (m/y)"
    assert not (tmp_path / "y.tflite").exists()


@pytest.mark.long
def test_an_onnx_file_gives_the_outputs_by_name(tmp_path: Path) -> None:
    pytest.importorskip("tf2onnx")
    folder = built(tmp_path, placeholder("in/x", None, 3), new_node("Relu", "out/y", ["in/x"], T=FLOAT))
    with Exporter("onnx") as onnx:
        onnx.convert(folder, SERVE, ["serving_default"], tmp_path / "y.onnx", opset=18)
        found = onnx.run(tmp_path / "y.onnx", "serving_default", {"in/x": np.full((2, 3), 2, np.float32)})
    assert (list(found), found["out/y"].tolist()) == (["out/y"], [[2.0] * 3] * 2)
