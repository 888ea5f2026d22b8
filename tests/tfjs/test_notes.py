"""Notes of a report: parts of a model that the graph lacks, or that have another meaning there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import rewrites
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import new_node
from bundler.ir.protos import FunctionDef, OpDef
from bundler.manifest import Compat
from bundler.tfjs.notes import notes
from tests.support.models import placeholder, read_model, write_model

FLOAT = DType.float32
X = placeholder("x", 1, 2, 2, 1)


def test_attributes_that_tensorflow_lacks_are_noted_once_each(tmp_path: Path) -> None:
    relu = new_node("Relu", "r", ["a"], T=FLOAT, slope=0.5).message
    function = FunctionDef(signature=OpDef(name="f", input_arg=[OpDef.ArgDef(name="a", type=1)]), node_def=[relu])
    nodes = [
        X,
        new_node("OnesLike", "one", ["x"], T=FLOAT, dtype=FLOAT),
        new_node("OnesLike", "two", ["x"], T=FLOAT, dtype=FLOAT),
        new_node("Squeeze", "y", ["two"], T=FLOAT, axis=[0], _output_shapes=[1]),
    ]
    model = read_model(write_model(tmp_path, nodes, functions=[function]))
    assert model.notes == ("attributes that TensorFlow's ops do not have are left out: OnesLike.dtype, Relu.slope",)


@pytest.mark.parametrize(("value", "is_noted"), [(-1e30, True), (float("nan"), True), (65504, False)])
def test_a_number_that_float16_does_not_hold_is_noted(value: float, is_noted: bool, tmp_path: Path) -> None:
    nodes = [X, new_node("AddV2", "y", ["x", "mask"], T=FLOAT)]
    with np.errstate(over="ignore"):
        weights = {"mask": np.array([0, value], np.float32)}
        entry = write_model(tmp_path, nodes, weights, quantization={"mask": {"dtype": "float16"}})
    note = "weights hold infinities or NaN, which numbers above 65504 become in float16: mask"
    assert read_model(entry).notes == ((note,) if is_noted else ())


def test_entries_of_a_signature_that_name_no_node_are_noted(tmp_path: Path) -> None:
    signature = {
        "inputs": {"x": {"name": "x:0"}, "training": {"name": "keras_learning_phase:0"}},
        "outputs": {"y": {"name": "y:0"}, "gone": {}},
    }
    model = read_model(write_model(tmp_path, [X, new_node("Relu", "y", ["x"], T=FLOAT)], signature=signature))
    assert model.notes == (
        "inputs of its signature: 'training' is left out, as no node makes 'keras_learning_phase:0'",
        "outputs of its signature: 'gone' is left out, as no node makes 'gone'",
    )


def rewritten(folder: Path, *nodes: object, compat: Compat = Compat.NONE, **weights: np.ndarray) -> Model:
    return rewrites.run(read_model(write_model(folder, nodes, weights)), compat)  # type: ignore[arg-type]


def test_what_tensorflow_would_take_otherwise_is_noted_with_how_often(tmp_path: Path) -> None:
    statistics = {name: np.ones(1, np.float32) for name in ("scale", "offset", "mean", "variance")}
    made = rewritten(
        tmp_path,
        X,
        new_node("Print", "p", ["x", "x"], T=FLOAT, U=[FLOAT]),
        new_node("FakeQuantWithMinMaxVars", "q", ["p", "low", "high"]),
        new_node("FusedBatchNormV3", "y", ["q", *statistics], T=FLOAT, U=FLOAT, is_training=True),
        new_node("FusedBatchNormV3", "z", ["q", *statistics], T=FLOAT, U=FLOAT, is_training=True),
        low=np.array(0, np.float32),
        high=np.array(1, np.float32),
        **statistics,
    )
    assert made.notes == (
        "checks and prints are left out, as in TensorFlow.js: 1 Print",
        "values are not rounded to steps, as in TensorFlow.js: 1 FakeQuantWithMinMaxVars",
        "normalized by the model's own statistics and not the batch's, as in TensorFlow.js: 2 FusedBatchNormV3",
    )


def test_inputs_of_another_dtype_are_reported(tmp_path: Path) -> None:
    ids = placeholder("ids", 2, dtype=DType.int64)
    made = rewritten(tmp_path, ids, new_node("AddV2", "y", ["ids", "ids"], T=DType.int64), compat=Compat.TFJS)
    assert made.notes == ("inputs take int32 in place of int64: ids",)


def test_a_build_reports_the_notes(tmp_path: Path) -> None:
    write_model(tmp_path / "m", [X, new_node("Print", "p", ["x", "x"], T=FLOAT, U=[FLOAT])])
    (tmp_path / "b.toml").write_text('[bundle]\nname = "b"\n[[model]]\nname = "m"\nsource = "m"\n')
    report = bundler.build(tmp_path / "b.toml", output=tmp_path / "out", check=False)
    assert report.models[0].notes == ("checks and prints are left out, as in TensorFlow.js: 1 Print",)


def test_to_inspect_a_model_shows_the_notes_of_its_file(tmp_path: Path) -> None:
    write_model(tmp_path, [X, new_node("OnesLike", "y", ["x"], T=FLOAT, dtype=FLOAT)])
    (model,) = bundler.inspect(tmp_path).models
    assert model.notes == ("attributes that TensorFlow's ops do not have are left out: OnesLike.dtype",)


def test_of_very_many_things_that_are_left_out_the_first_are_named() -> None:
    outputs = {f"o{at:03}": {"name": f"gone{at}"} for at in range(100)}
    nodes = [{"name": f"n{at}", "op": "Relu", "attr": {f"useless{at:03}": {}}} for at in range(100)]
    foreign, *lost = notes({"modelTopology": {"node": nodes}, "signature": {"outputs": outputs}}, Graph(()))
    assert foreign.endswith("Relu.useless018, Relu.useless019, … and 80 more")
    assert len(lost) == 21
    assert lost[-1] == "… and 80 more"
