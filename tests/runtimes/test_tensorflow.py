"""Runtime: TensorFlow in a child process, by both of its engines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import bundler.runtimes.tensorflow
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, constant, new_node, shape_proto
from bundler.ir.protos import FunctionDef, GraphDef, NameAttrList, OpDef, SavedModel, TensorShapeProto
from bundler.outputs.checkpoint import text
from bundler.runtimes.failures import Died, Refused
from bundler.runtimes.tensorflow import Runtime

FLOAT = DType.float32
SERVE = ["serve"]


def placeholder(name: str, dtype: DType = FLOAT, dims: Sequence[int] | None = None) -> Node:
    shape = TensorShapeProto(unknown_rank=True) if dims is None else shaped(dims)
    return new_node("Placeholder", name, dtype=dtype, shape=shape)


def shaped(dims: Sequence[int]) -> TensorShapeProto:
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in dims])


def graph(*nodes: Node) -> bytes:
    content: bytes = GraphDef(node=[each.message for each in nodes]).SerializeToString()
    return content


def save(folder: Path, *nodes: Node, init: str = "") -> Path:
    """A SavedModel with these nodes; `init` is the node that initializes it."""
    saved = SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add()
    meta.meta_info_def.tags.append("serve")
    meta.graph_def.node.extend(each.message for each in nodes)
    meta.graph_def.versions.producer = 1000
    if init:
        meta.signature_def["__saved_model_init_op"].outputs["__saved_model_init_op"].name = init
    folder.mkdir(exist_ok=True)
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
    return folder


SUM = (placeholder("x"), placeholder("z"), new_node("AddV2", "y", ["x", "z"], T=FLOAT))


# Shapes


def test_shapes_are_inferred(engine: Runtime) -> None:
    nodes = (
        placeholder("x", dims=[-1, 8]),
        constant("w", np.zeros((8, 3), np.float32)),
        new_node("MatMul", "y", ["x", "w"], T=FLOAT),
        new_node("TopKV2", "top", ["y", "k"], T=FLOAT),
        constant("k", np.array(2, np.int32)),
        placeholder("any", DType.string),
    )
    assert engine.shapes(graph(*nodes), ["y", "top:0", "top:1", "k:0", "any"]) == [
        (DType.float32, (None, 3)),
        (DType.float32, (None, 2)),
        (DType.int32, (None, 2)),
        (DType.int32, ()),
        (DType.string, None),
    ]


def test_a_graph_with_a_loop_has_shapes(engine: Runtime) -> None:
    nodes = (
        constant("zero", np.array(0, np.int32)),
        new_node("Enter", "enter", ["zero"], T=DType.int32, frame_name="loop"),
        new_node("Merge", "merge", ["enter", "next"], T=DType.int32, N=2),
        constant("ten", np.array(10, np.int32), control=["merge"]),
        new_node("Less", "less", ["merge", "ten"], T=DType.int32),
        new_node("LoopCond", "cond", ["less"]),
        new_node("Switch", "switch", ["merge", "cond"], T=DType.int32),
        constant("one", np.array(1, np.int32), control=["switch"]),
        new_node("AddV2", "add", ["switch:1", "one"], T=DType.int32),
        new_node("NextIteration", "next", ["add"], T=DType.int32),
        new_node("Exit", "exit", ["switch"], T=DType.int32),
    )
    unknown = None  # TensorFlow does not follow the edge that goes back
    assert engine.shapes(graph(*nodes), ["exit", "one"]) == [(DType.int32, unknown), (DType.int32, ())]


def test_a_graph_with_a_function_has_shapes(engine: Runtime) -> None:
    argument = OpDef.ArgDef(name="a", type=FLOAT.value)
    result = OpDef.ArgDef(name="b", type=FLOAT.value)
    function = FunctionDef(
        signature=OpDef(name="negate", input_arg=[argument], output_arg=[result]),
        node_def=[new_node("Neg", "neg", ["a"], T=FLOAT).message],
        ret={"b": "neg:y:0"},
    )
    call = new_node("PartitionedCall", "y", ["x"], Tin=[FLOAT], Tout=[FLOAT], f=NameAttrList(name="negate"))
    message = GraphDef(node=[placeholder("x").message, call.message])
    message.library.function.append(function)
    assert engine.shapes(message.SerializeToString(), ["y"]) == [(DType.float32, None)]


@pytest.mark.parametrize(
    ("nodes", "tensor", "said"),
    [
        ([new_node("Foo", "y")], "y", "TensorFlow: Op type not registered 'Foo'"),
        ([new_node("Relu", "y", ["x"], T=FLOAT)], "y", "TensorFlow: Node 'y': Unknown input node 'x'"),
        (
            [placeholder("x"), new_node("MatMul", "y", ["x"], T=FLOAT)],
            "y",
            "TensorFlow: NodeDef expected inputs 'float, float' do not match 1 inputs specified; NodeDef: {{node y}}",
        ),
    ],
    ids=["unknown op", "dangling input", "missing input"],
)
def test_a_graph_that_does_not_import_is_an_error_in_a_few_words(
    engine: Runtime, nodes: list[Node], tensor: str, said: str
) -> None:
    with pytest.raises(Refused) as caught:
        engine.shapes(graph(*nodes), [tensor])
    assert str(caught.value) == said


@pytest.mark.parametrize("tensor", ["nowhere", "x:1"])
def test_a_tensor_that_does_not_exist_is_an_error_that_names_its_node(engine: Runtime, tensor: str) -> None:
    with pytest.raises(Refused, match=tensor.split(":")[0]):
        engine.shapes(graph(placeholder("x")), [tensor])


def test_bytes_that_are_no_graph_are_an_error(engine: Runtime) -> None:
    with pytest.raises(Refused, match=r"GraphDef|Error parsing message"):
        engine.shapes(b"no graph", ["x"])


# Load


def test_a_saved_model_loads(engine: Runtime, tmp_path: Path) -> None:
    assert engine.load(save(tmp_path, *SUM), SERVE, ["x", "y:0"]) == [(FLOAT, None), (FLOAT, None)]


def test_a_folder_without_a_saved_model_is_an_error_that_names_it(engine: Runtime, tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        engine.load(tmp_path / "empty", SERVE, [])
    assert caught.value.fault.where == str(tmp_path / "empty")


def test_tags_that_the_saved_model_lacks_are_an_error(engine: Runtime, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="other"):
        engine.load(save(tmp_path, *SUM), ["other"], [])


# Run


def test_a_run_gives_the_values_of_its_fetches_in_their_order(engine: Runtime, tmp_path: Path) -> None:
    nodes = (*SUM, new_node("Neg", "minus", ["y"], T=FLOAT))
    feeds = {"x": np.array([1, 2], np.float32), "z:0": np.array([[10], [20]], np.float32)}
    minus, plus = engine.run(save(tmp_path, *nodes), SERVE, feeds, ["minus", "y:0"])
    np.testing.assert_array_equal(plus, np.array([[11, 12], [21, 22]], np.float32), strict=True)
    np.testing.assert_array_equal(minus, -plus, strict=True)


TEXTS = np.array([[b"", b"a\0b"], [b"\xff", b"long" * 1000]], object)
VALUES = {
    "string": TEXTS,
    "string scalar": np.array(b"alone", object),
    "no strings": np.zeros((0, 2), object),
    "bool": np.array([True, False]),
    "complex64": np.array([1 + 2j], np.complex64),
    "complex128": np.array([1 + 2j], np.complex128),
    "scalar": np.array(7, np.int64),
    "empty": np.zeros((2, 0), np.float32),
    "not contiguous": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "big-endian": np.array([1, 2], ">i4"),
} | {
    name: np.array([[0, 1, 100]], name)
    for name in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_values_of_every_dtype_pass_unchanged(engine: Runtime, tmp_path: Path, value: np.ndarray) -> None:
    dtype = DType.string if value.dtype == object else DType.parse(value.dtype.name)
    folder = save(tmp_path, placeholder("x", dtype), new_node("Identity", "y", ["x"], T=dtype))
    (passed,) = engine.run(folder, SERVE, {"x": value}, ["y"])
    assert passed.dtype == value.dtype.newbyteorder("=")
    np.testing.assert_array_equal(passed, value)
    assert passed.shape == value.shape


@pytest.mark.parametrize("texts", [np.array(["é", "b"]), np.array([b"\xc3\xa9", b"b"])], ids=["str", "bytes"])
def test_text_of_any_kind_is_fed_as_bytes(engine: Runtime, tmp_path: Path, texts: np.ndarray) -> None:
    folder = save(tmp_path, placeholder("x", DType.string), new_node("Identity", "y", ["x"], T=DType.string))
    (passed,) = engine.run(folder, SERVE, {"x": texts}, ["y"])
    assert passed.tolist() == ["é".encode(), b"b"]


def test_a_run_that_fails_is_an_error_that_names_the_node(engine: Runtime, tmp_path: Path) -> None:
    feeds = {"x": np.ones(2, np.float32), "z": np.ones(3, np.float32)}
    with pytest.raises(Refused) as caught:
        engine.run(save(tmp_path, *SUM), SERVE, feeds, ["y"])
    assert str(caught.value) == f"{tmp_path}: TensorFlow: Incompatible shapes: [2] vs. [3] [[{{{{node y}}}}]]"


def test_an_initializer_runs_at_load(engine: Runtime, tmp_path: Path) -> None:
    types = {"Tin": DType.string, "Tout": DType.int64}
    strings = {"key_dtype": DType.string, "value_dtype": DType.int64}
    nodes = (
        new_node("HashTableV2", "table", **strings),
        constant("numbers", np.array([5, 6], np.int64)),
        constant("default", np.array(-1, np.int64)),
        constant("text", np.array([0, 255], np.uint8)),
        new_node("AsString", "words", ["text"], T=DType.uint8),
        new_node("LookupTableImportV2", "init", ["table", "words", "numbers"], **types),
        placeholder("x", DType.string),
        new_node("LookupTableFindV2", "y", ["table", "x", "default"], **types),
    )
    folder = save(tmp_path, *nodes, init="init")
    (found,) = engine.run(folder, SERVE, {"x": np.array([b"255", b"none", b"0"], object)}, ["y"])
    assert found.tolist() == [6, -1, 5]


def test_a_saved_model_that_was_written_anew_is_loaded_anew(engine: Runtime, tmp_path: Path) -> None:
    def run(op: str) -> float:
        folder = save(tmp_path, placeholder("x"), new_node(op, "y", ["x"], T=FLOAT))
        return float(engine.run(folder, SERVE, {"x": np.array(3, np.float32)}, ["y"])[0])

    assert [run("Neg"), run("Square")] == [-3, 9]


# Execute


def test_nodes_are_executed_for_what_they_do(engine: Runtime, tmp_path: Path) -> None:
    nodes = (
        constant("content", np.array(7, np.int32)),
        new_node("AsString", "text", ["content"], T=DType.int32),
        *(new_node("WriteFile", name, [f"{name}/path", "text"]) for name in ("one", "other", "idle")),
    )
    paths = (text(f"{name}/path", tmp_path / name) for name in ("one", "other", "idle"))
    engine.execute(graph(*nodes, *paths), ["one", "other"])
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"one": "7", "other": "7"}


@pytest.mark.parametrize(("target", "said"), [("y", "Incompatible shapes: [2] vs. [3]"), ("absent", "absent")])
def test_what_cannot_be_executed_is_an_error_in_tensorflows_words(engine: Runtime, target: str, said: str) -> None:
    sides = (constant("x", np.ones(2, np.float32)), constant("z", np.ones(3, np.float32)))
    shaped = (
        new_node("PlaceholderWithDefault", f"{one.name}1", [one.name], dtype=FLOAT, shape=shape_proto(None))
        for one in sides
    )
    with pytest.raises(Refused) as caught:
        engine.execute(graph(*sides, *shaped, new_node("AddV2", "y", ["x1", "z1"], T=FLOAT)), [target])
    assert said in str(caught.value)


# The process


def test_a_crash_of_tensorflow_is_an_error_and_the_next_question_is_answered(engine: Runtime, tmp_path: Path) -> None:
    abort = new_node("Abort", "abort", error_msg="on purpose")
    folder = save(tmp_path, abort, constant("y", np.zeros(1, np.float32), control=["abort"]))
    with pytest.raises(Died, match=r"^TensorFlow's runtime died \(SIGABRT\) \(found .*on purpose.*\)$"):
        engine.run(folder, SERVE, {}, ["y"])
    assert engine.shapes(graph(placeholder("x")), ["x"]) == [(FLOAT, None)]


def test_gpus_are_hidden_in_the_child_and_only_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    spy = tmp_path / "python"
    spy.write_text(f'#!/bin/sh\necho "$CUDA_VISIBLE_DEVICES $TF_CPP_MIN_LOG_LEVEL $OTHER" >> "{seen}"\n')
    spy.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(spy))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    for settings in ({}, {"cuda": True}, {"environment": {"OTHER": "1"}}):
        with Runtime(**settings) as running, pytest.raises(Died):
            running.shapes(b"", [])
    assert list(dict.fromkeys(seen.read_text().splitlines())) == ["-1 3 ", "0 3 ", "-1 3 1"]


def test_the_native_engine_loads_nothing_but_itself() -> None:
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]; import engines.native, engines.serve;"
        "print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    )
    own = Path(bundler.runtimes.tensorflow.__file__).parent
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code, own], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"engines", "__main__"}
