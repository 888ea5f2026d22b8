from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundler.ir.weight
import bundler.outputs.savedmodel
import bundler.outputs.writer
from bundler.disk.shards import File, Group, Memory
from bundler.encoding.graphdef import structure
from bundler.errors import ConversionError, SourceError
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, new_node, shape_of, shape_proto, tensor_proto
from bundler.ir.protos import (
    FunctionDef,
    GraphDef,
    MetaGraphDef,
    NameAttrList,
    NodeDef,
    OpDef,
    SavedModel,
    SignatureDef,
    TensorInfo,
    TensorProto,
)
from bundler.ir.weight import Affine, Weight
from bundler.outputs import savedmodel
from bundler.outputs.savedmodel import MetaGraph
from bundler.runtimes.tensorflow import Runtime
from tests.support.models import placeholder

FLOAT, INT, STRING = DType.float32, DType.int32, DType.string

NUMBERS: dict[str, np.ndarray] = {
    "matrix": np.arange(600, dtype=np.float32).reshape(2, 300),
    "scalar": np.array(7, np.int64),
    "flags": np.array([True, False]),
    "halves": np.array([0.5], np.float16),
    "complex": np.array([1 + 2j], np.complex64),
    "nothing": np.zeros((0, 3), np.float32),
}
WORDS = [b"", b"\xff\0", b"word"]


def stored(value: np.ndarray, cut: int = 0) -> Weight:
    content, dtype = value.tobytes(), DType.parse(value.dtype.name)
    shards = (Memory(content[:cut]), Memory(content[cut:]))
    return Weight(dtype, value.shape, Group(shards), 0, len(content), dtype)


def strings() -> Weight:
    content = b"".join(len(word).to_bytes(4, "little") + word for word in WORDS)
    return Weight(STRING, (3,), Group((Memory(content),)), 0, len(content), STRING)


BYTES = np.array([0, 1, 255], np.uint8)
QUANTIZED = replace(stored(BYTES), dtype=FLOAT, affine=Affine(0.5, -1.0, FLOAT))
WEIGHTS = {name: stored(value, 5) for name, value in NUMBERS.items()} | {"words": strings(), "quantized": QUANTIZED}

BODY = Function(
    definition=FunctionDef(
        signature=OpDef(
            name="f",
            input_arg=[OpDef.ArgDef(name="a", type=1)],
            output_arg=[OpDef.ArgDef(name="r", type=1), OpDef.ArgDef(name="s", type=3)],
        )
    ),
    graph=Graph(
        nodes=(
            new_node("Const", "k", ["^top"], dtype=INT),
            new_node("TopKV2", "top", ["a", "k"], T=FLOAT, sorted=True),
            new_node("Identity", "again", ["top:1", "^k"], T=INT),
        ),
        weights={"k": stored(np.array(2, np.int32))},
    ),
    returns={"s": Tensor("top", 1), "r": Tensor("a")},
)
EMPTY = Function(FunctionDef(signature=OpDef(name="e")), Graph(()), {})
CALL = new_node("PartitionedCall", "y", ["x"], Tin=[FLOAT], Tout=[FLOAT, INT], f=NameAttrList(name="f"))
SIGNATURE = Signature(
    inputs={"in": TensorSpec(Tensor("x"), FLOAT, (None, 3))},
    outputs={
        "out": TensorSpec(Tensor("y", 1), INT, None),
        "a scalar": TensorSpec(Tensor("scalar"), DType.int64, ()),
        "unknown": TensorSpec(Tensor("y"), None, None),
    },
    method_name="tensorflow/serving/classify",
)
MODEL = Model(
    graph=Graph(
        (placeholder("x", None, 3), *(new_node("Const", name, dtype=w.dtype) for name, w in WEIGHTS.items()), CALL),
        WEIGHTS,
    ),
    signatures={"second": SIGNATURE, "first": replace(SIGNATURE, inputs={})},
    functions={"f": BODY, "e": EMPTY},
    producer=1395,
)
SMALL = Model(Graph((new_node("NoOp", "n"),)), {}, producer=12)


# The same, as TensorFlow's messages


def const(name: str, tensor: TensorProto, *control: str) -> NodeDef:
    return new_node("Const", name, control, dtype=DType(tensor.dtype), value=tensor).message


def expected_graph() -> GraphDef:
    tensors = {name: tensor_proto(value) for name, value in NUMBERS.items()}
    tensors["words"] = TensorProto(dtype=7, tensor_shape=shape_proto((3,)), string_val=WORDS)
    tensors["quantized"] = tensor_proto(np.array([-1, -0.5, 126.5], np.float32))
    consts = [const(name, tensors[name]) for name in WEIGHTS]
    graph = GraphDef(node=[placeholder("x", None, 3).message, *consts, CALL.message])
    graph.library.function.add().signature.name = "e"
    function = graph.library.function.add()
    function.CopyFrom(BODY.definition)
    function.node_def.extend(
        [
            const("k", tensor_proto(np.array(2, np.int32)), "^top"),
            new_node("TopKV2", "top", ["a", "k:output:0"], T=FLOAT, sorted=True).message,
            new_node("Identity", "again", ["top:indices:0", "^k"], T=INT).message,
        ]
    )
    function.ret["r"], function.ret["s"] = "a", "top:indices:0"
    graph.versions.producer = 1395
    return graph


def expected() -> SavedModel:
    info = {
        "out": TensorInfo(name="y:1", dtype=3, tensor_shape={"unknown_rank": True}),
        "a scalar": TensorInfo(name="scalar:0", dtype=9, tensor_shape={}),
        "unknown": TensorInfo(name="y:0", tensor_shape={"unknown_rank": True}),
    }
    image = TensorInfo(name="x:0", dtype=1, tensor_shape=shape_proto((None, 3)))
    method = "tensorflow/serving/classify"
    made = SavedModel(saved_model_schema_version=1)
    big, small = made.meta_graphs.add(), made.meta_graphs.add()
    big.meta_info_def.tags.extend(["serve", "gpu"])
    big.graph_def.CopyFrom(expected_graph())
    big.signature_def["first"].CopyFrom(SignatureDef(outputs=info, method_name=method))
    big.signature_def["second"].CopyFrom(SignatureDef(inputs={"in": image}, outputs=info, method_name=method))
    small.meta_info_def.tags.append("small")
    small.graph_def.node.add(name="n", op="NoOp")
    small.graph_def.versions.producer = 12
    return made


BOTH = [MetaGraph(("serve", "gpu"), MODEL), MetaGraph(("small",), SMALL)]


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_the_bytes_are_those_that_protobuf_would_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(bundler.ir.weight, "_CHUNK", chunk)
    size = savedmodel.write(BOTH, tmp_path)
    written = (tmp_path / savedmodel.FILE).read_bytes()
    assert SavedModel.FromString(written) == expected()
    assert written == expected().SerializeToString(deterministic=True)
    assert size == len(written)


def test_the_order_of_signatures_functions_and_weights_does_not_show(tmp_path: Path) -> None:
    savedmodel.write(BOTH, tmp_path)
    first = (tmp_path / savedmodel.FILE).read_bytes()
    turned = replace(
        MODEL,
        graph=replace(MODEL.graph, weights=_turned(MODEL.graph.weights)),
        signatures=_turned(MODEL.signatures),
        functions={"e": EMPTY, "f": replace(BODY, returns=_turned(BODY.returns))},
    )
    savedmodel.write([BOTH[0]._replace(model=turned), BOTH[1]], tmp_path)
    assert (tmp_path / savedmodel.FILE).read_bytes() == first


def _turned(entries: Mapping[str, Any]) -> dict[str, Any]:
    return dict(reversed(entries.items()))


def test_progress_is_in_bytes(tmp_path: Path) -> None:
    calls: list[Any] = []

    class Recorded:
        def start(self, what: str, size: int | None = None, *, count: int | None = None) -> None:
            calls.append((what, size))

        def advance(self, amount: int = 1) -> None:
            calls.append(amount)

        def finish(self) -> None:
            calls.append("finished")

    size = savedmodel.write(BOTH, tmp_path, progress=Recorded())
    (first, *amounts, last) = calls
    assert (first, sum(amounts), last) == (("write", size), size, "finished")


@pytest.mark.parametrize(("most", "early"), [(1, True), (1 << 26, False)], ids=["more than may wait", "less"])
def test_the_disk_stores_the_beginning_of_a_large_file_while_the_rest_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, early: bool
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    monkeypatch.setattr(bundler.outputs.writer, "_PENDING", most)
    savedmodel.write(BOTH, tmp_path)
    assert {*synced} == ({str(tmp_path / savedmodel.FILE)} if early else set())


def too_large() -> Model:
    """A graph of 2 GB whose weight is nowhere."""
    elements = 1 << 29
    absent = Weight(FLOAT, (elements,), Group((File(Path("absent"), 4 * elements),)), 0, 4 * elements, FLOAT)
    return Model(Graph((new_node("Const", "w", dtype=FLOAT),), {"w": absent}))


def test_more_than_protobuf_allows_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConversionError) as caught:
        savedmodel.write([MetaGraph(("serve",), too_large())], tmp_path)
    (fault,) = caught.value.faults
    assert fault.what == "too large for one file that holds its weights as constants"
    assert (fault.found, fault.expected) == ("2,147,483,745 bytes", "at most 2,147,483,647")
    assert "split the bundle in two" in fault.hint
    assert list(tmp_path.iterdir()) == []


def test_the_limit_is_on_all_metagraphs_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundler.outputs.savedmodel, "_LIMIT", savedmodel.write(BOTH, tmp_path) - 1)
    savedmodel.write(BOTH[:1], tmp_path)
    with pytest.raises(ConversionError, match="^too large"):
        savedmodel.write(BOTH, tmp_path)


def test_a_function_with_an_output_that_the_table_does_not_name_is_an_error(tmp_path: Path) -> None:
    alien = replace(BODY, graph=Graph((new_node("Alien", "alien"),)), returns={"r": Tensor("alien")})
    with pytest.raises(ConversionError, match="^node 'alien': no output of 'Alien' is known by that number"):
        savedmodel.write([MetaGraph(("serve",), replace(MODEL, functions={"f": alien}))], tmp_path)


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_a_file_is_the_same_however_little_the_system_is_given_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    savedmodel.write(BOTH, tmp_path)
    whole = (tmp_path / savedmodel.FILE).read_bytes()
    monkeypatch.setattr(bundler.outputs.writer, "_WRITE", piece)
    savedmodel.write(BOTH, tmp_path)
    assert (tmp_path / savedmodel.FILE).read_bytes() == whole


def test_the_largest_part_of_a_weight_finds_room_behind_a_segment_that_is_nearly_full() -> None:
    assert bundler.ir.weight._CHUNK * DType.complex128.numpy.itemsize <= bundler.outputs.writer._SEGMENT


@pytest.mark.parametrize("jobs", [1, 2])
def test_weights_that_cannot_be_read_end_the_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr(bundler.outputs.writer, "_SEGMENT", 1)
    lost = replace(WEIGHTS["matrix"], group=Group((File(Path("lost"), 2400),)))
    nodes = tuple(new_node("Const", f"w{index}", dtype=FLOAT) for index in range(50))
    model = replace(SMALL, graph=Graph(nodes, {one.name: lost for one in nodes}))
    with pytest.raises(SourceError, match="^lost: cannot be read"):
        savedmodel.write([MetaGraph((), model)], tmp_path, jobs=jobs)


# Reading signatures


def test_signatures_are_read_as_they_were_written(tmp_path: Path) -> None:
    savedmodel.write(BOTH, tmp_path)
    big, small = SavedModel.FromString((tmp_path / savedmodel.FILE).read_bytes()).meta_graphs
    assert savedmodel.read_signatures(big) == MODEL.signatures
    assert list(savedmodel.read_signatures(big)) == ["first", "second"]
    assert savedmodel.read_signatures(small) == {}


def test_the_op_that_loaders_run_first_is_no_signature(tmp_path: Path) -> None:
    filled = replace(MODEL, initializers=("y",))
    savedmodel.write([MetaGraph(("serve",), filled)], tmp_path)
    (metagraph,) = SavedModel.FromString((tmp_path / savedmodel.FILE).read_bytes()).meta_graphs
    assert savedmodel.read_signatures(metagraph).keys() == MODEL.signatures.keys()
    (init,) = metagraph.collection_def["saved_model_main_op"].node_list.value
    assert [list(one.input) for one in metagraph.graph_def.node if one.name == init] == [["^y"]]


def test_a_dtype_that_came_after_ours_is_an_unknown_one() -> None:
    metagraph = MetaGraphDef()
    metagraph.signature_def["s"].inputs["x"].CopyFrom(TensorInfo(name="x:0", dtype=29, tensor_shape={}))
    assert savedmodel.read_signatures(metagraph)["s"].inputs["x"] == TensorSpec(Tensor("x"), None, ())


# The structure alone


def test_the_structure_has_placeholders_for_large_weights_and_reads_none_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unreadable = replace(WEIGHTS["matrix"], group=Group((File(Path("absent"), 2400),)))
    weights = {**WEIGHTS, "matrix": unreadable}
    graph = GraphDef.FromString(structure(replace(MODEL, graph=replace(MODEL.graph, weights=weights))))
    nodes = {one.name: one for one in graph.node}
    assert (nodes["matrix"].op, shape_of(nodes["matrix"].attr["shape"].shape)) == ("Placeholder", (2, 300))
    assert nodes["scalar"] == const("scalar", tensor_proto(NUMBERS["scalar"]))
    assert [function.signature.name for function in graph.library.function] == ["e", "f"]
    assert graph.versions.producer == 1395


def test_two_gigabytes_of_weights_have_a_small_structure() -> None:
    assert len(structure(too_large())) < 1000


# TensorFlow's own view


def test_tensorflow_loads_and_runs_what_was_written(tmp_path: Path, runtime: Runtime) -> None:
    y = new_node("MatMul", "y", ["x", "w"], T=FLOAT)
    model = Model(
        graph=Graph(
            (placeholder("x", None, 2), new_node("Const", "w", dtype=FLOAT), y),
            {"w": stored(np.eye(2, dtype=np.float32), 3)},
        ),
        signatures={
            "s": Signature(
                {"x": TensorSpec(Tensor("x"), FLOAT, (None, 2))}, {"y": TensorSpec(Tensor("y"), FLOAT, None)}
            )
        },
        producer=1395,
    )
    savedmodel.write([MetaGraph(("serve",), model)], tmp_path)
    (found,) = runtime.run(tmp_path, ["serve"], {"x:0": np.array([[1, 2]], np.float32)}, ["y:0"])
    assert found.tolist() == [[1, 2]]
