"""TensorFlowJs: the same model run by TensorFlow.js."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.runtimes.failures import Died, Refused
from bundler.runtimes.javascript import Port, TensorFlowJs
from tests.support.pictures import png

JS = dict[str, Any]
IMAGE = np.array([[1, 2], [3, 4]], np.float32)
MATRIX = np.array([[1, 0, -1], [0, 1, 2]], np.float32)


def js_node(op: str, name: str, inputs: Sequence[str] = (), **types: str) -> JS:
    """A node as model.json spells it; the attributes are types."""
    return {"op": op, "name": name, "input": list(inputs), "attr": {key: {"type": t} for key, t in types.items()}}


def placeholder(name: str, dtype: str = "DT_FLOAT", dims: Sequence[int] = (-1, 2)) -> JS:
    made = js_node("Placeholder", name, dtype=dtype)
    made["attr"]["shape"] = {"shape": {"dim": [{"size": str(dim)} for dim in dims]}}
    return made


def write_graph_model(
    entry: Path, nodes: Sequence[JS], weights: Mapping[str, np.ndarray] | None = None, **more: Any
) -> Path:
    """A graph model on disk, its weights in two shards that split one of them."""
    weights = weights or {}
    content = b"".join(value.tobytes() for value in weights.values())
    shards = {"a.bin": content[:6], "b.bin": content[6:]} if content else {}
    for name, part in shards.items():
        (entry.parent / name).write_bytes(part)
    specs = [{"name": name, "shape": value.shape, "dtype": value.dtype.name} for name, value in weights.items()]
    manifest = [{"paths": list(shards), "weights": specs}]
    consts = (js_node("Const", name, dtype="DT_FLOAT") for name in weights)
    topology = {"node": [*nodes, *consts], "versions": {"producer": 1000}}
    written = {"format": "graph-model", "modelTopology": topology, "weightsManifest": manifest, **more}
    entry.write_text(json.dumps(written))
    return entry


def split(x: str) -> JS:
    """Unpack along the last axis: a node with two outputs."""
    made = js_node("Unpack", "split", [x], T="DT_FLOAT")
    made["attr"] |= {"num": {"i": "2"}, "axis": {"i": "1"}}
    return made


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """`y = x @ w`, then `z = relu(y)`."""
    nodes = [
        placeholder("x"),
        js_node("MatMul", "y", ["x", "w"], T="DT_FLOAT"),
        js_node("Relu", "z", ["y"], T="DT_FLOAT"),
    ]
    return write_graph_model(tmp_path / "product.json", nodes, {"w": MATRIX})


def test_the_version_is_the_one_that_is_pinned(javascript: TensorFlowJs) -> None:
    assert javascript.version == "4.22.0"


# Graph models


def test_a_graph_model_gives_its_outputs(javascript: TensorFlowJs, product: Path) -> None:
    outputs = javascript.run(product, {"x": IMAGE})
    assert list(outputs) == ["z"]
    np.testing.assert_array_equal(outputs["z"], np.maximum(IMAGE @ MATRIX, 0), strict=True)


def test_inner_tensors_constants_and_inputs_can_be_outputs(javascript: TensorFlowJs, product: Path) -> None:
    expected = {"y:0": IMAGE @ MATRIX, "w": MATRIX, "x": IMAGE}
    for _ in range(2):  # asking for a weight must not free it
        outputs = javascript.run(product, {"x:0": IMAGE}, list(expected))
        assert list(outputs) == list(expected)
        for name, value in expected.items():
            np.testing.assert_array_equal(outputs[name], value)


def test_an_inner_tensor_can_be_fed(javascript: TensorFlowJs, product: Path) -> None:
    assert javascript.run(product, {"y": np.array([[-1, 5, 0]], np.float32)})["z"].tolist() == [[0, 5, 0]]


def test_a_signature_names_inputs_and_every_port(javascript: TensorFlowJs, tmp_path: Path) -> None:
    signature = {
        "inputs": {"pair": {"name": "x:0"}},
        "outputs": {"right": {"name": "split:1"}, "left": {"name": "split:0"}},
    }
    entry = write_graph_model(tmp_path / "m.json", [placeholder("x"), split("x")], signature=signature)
    outputs = javascript.run(entry, {"pair": IMAGE})
    assert {key: value.tolist() for key, value in outputs.items()} == {"right": [2, 4], "left": [1, 3]}


def test_ports_can_be_asked_for(javascript: TensorFlowJs, tmp_path: Path) -> None:
    entry = write_graph_model(tmp_path / "m.json", [placeholder("x"), split("x")])
    assert javascript.run(entry, {"x": IMAGE}, ["split:1"])["split:1"].tolist() == [2, 4]


def test_a_model_whose_shapes_depend_on_values_runs(javascript: TensorFlowJs, tmp_path: Path) -> None:
    entry = write_graph_model(tmp_path / "m.json", [placeholder("x"), js_node("Where", "y", ["x"], T="DT_FLOAT")])
    assert javascript.run(entry, {"x": np.array([[0, 1], [1, 0]], np.float32)})["y"].tolist() == [[0, 1], [1, 0]]


def test_a_graph_model_is_described(javascript: TensorFlowJs, product: Path) -> None:
    described = javascript.describe(product)
    assert described.inputs == (Port("x", DType.float32, (None, 2)),)
    assert [port.name for port in described.outputs] == ["z"]


@pytest.mark.parametrize("packed", ["model", "shards", "both"])
def test_files_may_be_gzipped(javascript: TensorFlowJs, product: Path, packed: str) -> None:
    files = {"model": [product], "shards": list(product.parent.glob("*.bin")), "both": list(product.parent.iterdir())}
    for file in files[packed]:
        file.write_bytes(gzip.compress(file.read_bytes()))
    np.testing.assert_array_equal(javascript.run(product, {"x": IMAGE}, ["y"])["y"], IMAGE @ MATRIX)


# Dtypes

TEXTS = np.array([["é".encode(), b""], [b"\xff\0", b"long" * 1000]], object)


@pytest.mark.parametrize(
    ("dtype", "fed", "expected"),
    [
        ("DT_FLOAT", np.array([[1.5, np.inf]], np.float32), np.array([[1.5, np.inf]], np.float32)),
        ("DT_FLOAT", np.array([[0.1, 2]], np.float64), np.array([[0.1, 2]], np.float32)),
        ("DT_FLOAT", np.array([[0.1, 2]], np.float16), np.array([[0.1, 2]], np.float16).astype(np.float32)),
        ("DT_FLOAT", np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)),
        ("DT_FLOAT", IMAGE.T, IMAGE.T),
        ("DT_INT32", np.array([[-5, 2**31 - 1]], np.int32), np.array([[-5, 2**31 - 1]], np.int32)),
        ("DT_INT64", np.array([[-5, 7]], np.int64), np.array([[-5, 7]], np.int32)),
        ("DT_UINT8", np.array([[0, 255]], np.uint8), np.array([[0, 255]], np.int32)),
        ("DT_BOOL", np.array([[True, False]]), np.array([[True, False]])),
        ("DT_COMPLEX64", np.array([[1 + 2j, -3j]], np.complex64), np.array([[1 + 2j, -3j]], np.complex64)),
        ("DT_STRING", TEXTS, TEXTS),
        ("DT_STRING", np.array([["é", ""]]), TEXTS[:1]),
        ("DT_STRING", np.zeros((0, 2), object), np.zeros((0, 2), object)),
    ],
    ids=lambda value: f"{value.dtype}{list(value.shape)}" if isinstance(value, np.ndarray) else value,
)
def test_values_are_fed_as_the_nearest_that_javascript_has(
    javascript: TensorFlowJs, tmp_path: Path, dtype: str, fed: np.ndarray, expected: np.ndarray
) -> None:
    nodes = [placeholder("x", dtype), js_node("Identity", "y", ["x"], T=dtype)]
    passed = javascript.run(write_graph_model(tmp_path / "m.json", nodes), {"x": fed})["y"]
    np.testing.assert_array_equal(passed, expected, strict=True)


def test_a_scalar_stays_a_scalar(javascript: TensorFlowJs, tmp_path: Path) -> None:
    nodes = [placeholder("x", dims=[]), js_node("Neg", "y", ["x"], T="DT_FLOAT")]
    passed = javascript.run(write_graph_model(tmp_path / "m.json", nodes), {"x": np.array(2, np.float32)})["y"]
    np.testing.assert_array_equal(passed, np.array(-2, np.float32), strict=True)


def test_integers_beyond_32_bits_are_an_error_that_names_the_input(javascript: TensorFlowJs, product: Path) -> None:
    with pytest.raises(Refused, match=r"^x: TensorFlow\.js has no integers beyond 32 bits"):
        javascript.run(product, {"x": np.array([[2**31, 0]], np.int64)})


# Layers models


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    """A Keras model: `relu(x @ kernel + bias)`."""
    layer = {"name": "wide", "units": 3, "activation": "relu", "use_bias": True, "batch_input_shape": [None, 2]}
    config = {"name": "sequential", "layers": [{"class_name": "Dense", "config": layer}]}
    weights = {"wide/kernel": MATRIX, "wide/bias": np.array([1, 1, 1], np.float32)}
    (tmp_path / "weights.bin").write_bytes(b"".join(value.tobytes() for value in weights.values()))
    specs = [{"name": name, "shape": value.shape, "dtype": "float32"} for name, value in weights.items()]
    entry = tmp_path / "dense.json"
    written = {
        "format": "layers-model",
        "modelTopology": {"keras_version": "2.15.0", "model_config": {"class_name": "Sequential", "config": config}},
        "weightsManifest": [{"paths": ["weights.bin"], "weights": specs}],
    }
    entry.write_text(json.dumps(written))
    return entry


def test_a_layers_model_runs(javascript: TensorFlowJs, dense: Path) -> None:
    outputs = javascript.run(dense, {"wide_input": IMAGE})
    np.testing.assert_array_equal(outputs["wide"], np.maximum(IMAGE @ MATRIX + 1, 0), strict=True)


def test_a_layers_model_is_described(javascript: TensorFlowJs, dense: Path) -> None:
    described = javascript.describe(dense)
    assert described.inputs == (Port("wide_input", DType.float32, (None, 2)),)
    assert described.outputs == (Port("wide", DType.float32, (None, 3)),)


def test_a_model_without_a_format_is_known_by_its_topology(
    javascript: TensorFlowJs, dense: Path, product: Path
) -> None:
    for entry in (dense, product):
        written = json.loads(entry.read_text())
        del written["format"]
        entry.write_text(json.dumps(written))
    assert [port.name for entry in (dense, product) for port in javascript.describe(entry).outputs] == ["wide", "z"]


# Errors


def test_an_op_that_javascript_lacks_is_an_error_with_its_words(javascript: TensorFlowJs, tmp_path: Path) -> None:
    entry = write_graph_model(tmp_path / "m.json", [placeholder("x"), js_node("Foo", "y", ["x"])])
    with pytest.raises(Refused, match="Foo") as caught:
        javascript.run(entry, {"x": IMAGE})
    assert caught.value.fault.where == str(entry)


def test_an_op_that_fails_while_it_is_waited_for_costs_one_answer(javascript: TensorFlowJs, tmp_path: Path) -> None:
    """Another op failed before it, which is the answer. Node.js sees it when it next waits, as for an image."""
    nodes = [
        placeholder("x"),
        js_node("MatMul", "product", ["x", "n"], T="DT_FLOAT"),
        js_node("NonMaxSuppressionV3", "waited", ["x", "x", "n", "n", "n"]),
    ]
    model = write_graph_model(tmp_path / "model.json", nodes, {"n": np.ones((), np.float32)})
    with pytest.raises(Refused):
        javascript.run(model, {"x": IMAGE}, ["product", "waited"])
    (decoded,) = javascript.step(
        {"op": "decode_image", "channels": 3}, [np.array(png(np.zeros((2, 3, 3), np.uint8)), object)]
    )
    assert decoded.shape == (1, 2, 3, 3)


@pytest.mark.parametrize("output", ["nowhere", "wide/nowhere"])
def test_an_output_that_a_model_lacks_is_an_error_that_names_it(
    javascript: TensorFlowJs, dense: Path, product: Path, output: str
) -> None:
    for entry, feeds in ((dense, {"wide_input": IMAGE}), (product, {"x": IMAGE})):
        with pytest.raises(Refused, match=output):
            javascript.run(entry, feeds, [output])


def test_an_input_without_a_value_is_an_error_that_names_it(
    javascript: TensorFlowJs, dense: Path, product: Path
) -> None:
    for entry, name in ((dense, "wide_input"), (product, "x")):
        with pytest.raises(Refused, match=name):
            javascript.run(entry, {})


@pytest.mark.parametrize("broken", ["product.json", "b.bin"])
def test_a_missing_file_is_an_error_that_names_it(javascript: TensorFlowJs, product: Path, broken: str) -> None:
    (product.parent / broken).unlink()
    with pytest.raises(Refused, match=broken):
        javascript.run(product, {"x": IMAGE})


def test_an_answer_that_takes_too_long_is_an_error(tensorflowjs_modules: Path) -> None:
    with (
        TensorFlowJs(tensorflowjs_modules, timeout=0.001) as hurried,
        pytest.raises(Died, match=r"TensorFlow.js did not answer in 0.001 s"),
    ):
        assert hurried.version


def test_without_node_the_error_says_what_to_install(
    tensorflowjs_modules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BundlerError) as caught:
        TensorFlowJs(tensorflowjs_modules)
    assert "Node.js" in caught.value.faults[0].hint


def test_a_folder_without_tensorflowjs_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(BundlerError, match=r"TensorFlow\.js is not installed") as caught:
        TensorFlowJs(tmp_path)
    assert caught.value.faults[0].where == str(tmp_path)


# One process, many runs


def test_runs_leave_nothing_behind(javascript: TensorFlowJs, product: Path, tmp_path: Path) -> None:
    dynamic = write_graph_model(tmp_path / "m.json", [placeholder("x"), js_node("Where", "y", ["x"], T="DT_FLOAT")])

    def run() -> int:
        javascript.run(product, {"x": IMAGE}, ["y", "z", "w"])
        javascript.run(dynamic, {"x": IMAGE})
        with pytest.raises(Refused):
            javascript.run(product, {"x": IMAGE[0]})
        return javascript.tensors

    before = run()
    assert {run() for _ in range(5)} == {before}


def test_models_not_used_lately_are_freed(tensorflowjs_modules: Path, tmp_path: Path) -> None:
    def load(number: int, running: TensorFlowJs) -> int:
        weights = {f"w{index}": MATRIX for index in range(10)}
        entry = write_graph_model(tmp_path / f"{number}.json", [placeholder("x")], weights)
        running.describe(entry)
        return running.tensors

    # In a process of its own: other tests leave tables and lists behind in the one that they share.
    with TensorFlowJs(tensorflowjs_modules) as running:
        alive = [load(number, running) for number in range(6)]
    assert alive[4] == alive[5] < 60


def test_a_model_that_was_written_anew_is_loaded_anew(javascript: TensorFlowJs, tmp_path: Path) -> None:
    def run(op: str) -> list[list[float]]:
        nodes = [placeholder("x"), js_node(op, "y", ["x"], T="DT_FLOAT")]
        return javascript.run(write_graph_model(tmp_path / "m.json", nodes), {"x": IMAGE})["y"].tolist()

    assert [run("Neg"), run("Square")] == [[[-1, -2], [-3, -4]], [[1, 4], [9, 16]]]


def test_large_tensors_travel(javascript: TensorFlowJs, tmp_path: Path) -> None:
    nodes = [placeholder("x"), js_node("Identity", "y", ["x"], T="DT_FLOAT")]
    large = np.arange(12_000_000, dtype=np.float32).reshape(-1, 2)
    passed = javascript.run(write_graph_model(tmp_path / "m.json", nodes), {"x": large})["y"]
    np.testing.assert_array_equal(passed, large, strict=True)
