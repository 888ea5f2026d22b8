"""In compat mode `tfjs`, callers give int32 where the model says int64; the numbers stay the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, new_node
from bundler.rewrites.rules.narrow import narrow_int64
from bundler.runtimes.tensorflow import Runtime
from tests.support.asking import ask, signatures
from tests.support.models import placeholder, write_model

INT = {"dtype": DType.int64}
TABLE = np.arange(12, dtype=np.float32).reshape(6, 2)
INDICES = np.array([1, 3], np.int64)


@pytest.fixture
def models(tmp_path: Path) -> dict[str, Path]:
    """The same model in modes `none` and `tfjs`: x is gathered by, added to, cast, compared, and given back."""
    x, ends = placeholder("x", 2, **INT), {"T": DType.int64}
    nodes = [
        x,
        new_node(
            "GatherV2", "rows", ["table", "x", "axis"], Tparams=DType.float32, Tindices=DType.int64, Taxis=DType.int32
        ),
        new_node("AddV2", "sum", ["x", "more"], T=DType.int64),
        new_node("Cast", "floats", ["x"], SrcT=DType.int64, DstT=DType.float32),
        new_node("OneHot", "hot", ["x", "depth", "on", "off"], T=DType.float32, TI=DType.int64, axis=-1),
        new_node("Less", "small", ["x", "more"], **ends),
        new_node("Identity", "same", ["x"], **ends),
    ]
    weights = {
        "table": TABLE,
        "axis": np.array(0, np.int32),
        "more": np.array([2, 2], np.int64),
        "depth": np.array(4, np.int32),
        "on": np.array(1, np.float32),
        "off": np.array(0, np.float32),
    }
    write_model(tmp_path / "model", nodes, weights)
    return {mode: build(tmp_path, mode) for mode in ("none", "tfjs")}


def build(folder: Path, mode: str) -> Path:
    spec = folder / f"{mode}.toml"
    spec.write_text(f'[bundle]\nname = "b"\ncompat = "{mode}"\n[[model]]\nname = "m"\nsource = "model"\n')
    bundler.build(spec, output=folder / mode)
    return folder / mode


def test_the_input_is_int32_and_the_outputs_stay_as_they_were(models: dict[str, Path]) -> None:
    wide, narrow = (signatures(models[mode])["serving_default"] for mode in ("none", "tfjs"))
    assert wide.inputs["x"].dtype == DType.int64
    assert narrow.inputs["x"].dtype == DType.int32
    assert narrow.inputs["x"].tensor == wide.inputs["x"].tensor
    assert narrow.outputs == wide.outputs


def test_the_numbers_are_the_same(models: dict[str, Path], runtime: Runtime) -> None:
    wide = ask(runtime, models["none"], "serving_default", x=INDICES)
    narrow = ask(runtime, models["tfjs"], "serving_default", x=INDICES.astype(np.int32))
    assert wide.keys() == {"rows", "sum", "floats", "hot", "small", "same"}
    for name, value in wide.items():
        np.testing.assert_array_equal(narrow[name], value, strict=True, err_msg=name)


def narrowed(*nodes: object) -> Model:
    given = (placeholder("x", 2, **INT), *nodes)
    signature = Signature({"x": TensorSpec(Tensor("x"), DType.int64, (2,))}, {})
    return narrow_int64(Model(Graph(given), {"": signature}))  # type: ignore[arg-type]


def test_the_cast_gets_a_name_of_its_own() -> None:
    graph = narrowed(new_node("NoOp", "x/int64"), new_node("Neg", "y", ["x"], T=DType.int64)).graph
    assert [given.name for given in graph.nodes] == ["x", "x/int64_", "x/int64", "y"]
    assert list(graph.by_name["y"].input) == ["x/int64_"]


def test_who_waits_for_the_input_still_waits_for_it() -> None:
    graph = narrowed(new_node("NoOp", "y", ["^x"])).graph
    assert list(graph.by_name["y"].input) == ["^x"]


def test_a_model_without_such_inputs_is_left_as_it_is() -> None:
    model = Model(Graph((placeholder("x", 2), new_node("Placeholder", "n", dtype=DType.int32))))
    assert narrow_int64(model) is model
