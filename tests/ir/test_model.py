from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bundler.disk.shards import Group, Memory
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, constant, new_node
from bundler.ir.protos import FunctionDef, TensorShapeProto
from bundler.ir.weight import Weight
from tests.support.models import const

FLOAT = DType.float32


def weight(value: np.ndarray) -> Weight:
    """A weight with its bytes in memory."""
    content, dtype = value.tobytes(), DType.parse(value.dtype.name)
    return Weight(dtype, value.shape, Group((Memory(content),)), 0, len(content), dtype)


SMALL, LARGE = np.array([1, 2], np.float32), np.zeros((5, 13), np.float32)
WORDS = Weight(DType.string, (65,), Group((Memory(b"\0\0\0\0" * 65),)), 0, 260, DType.string)
GRAPH = Graph(
    nodes=(
        new_node("Placeholder", "x", dtype=FLOAT),
        const("small", SMALL),
        const("large", LARGE),
        new_node("Const", "words", dtype=DType.string),
        constant("inline", np.array([[3.0]], np.float32)),
        new_node("Const", "bare", dtype=FLOAT),
        new_node("Identity", "same", ["small", "^x"], T=FLOAT),
        new_node("Identity", "again", ["same"], T=FLOAT),
        new_node("Add", "y", ["x", "x:0", "^large"], T=FLOAT),
    ),
    weights={"small": weight(SMALL), "large": weight(LARGE), "words": WORDS},
)


def test_nodes_are_found_by_name() -> None:
    assert GRAPH.by_name["y"] is GRAPH.nodes[-1]
    assert GRAPH.producer("y:1") is GRAPH.nodes[-1]
    assert GRAPH.producer("^y") is GRAPH.nodes[-1]
    assert GRAPH.producer("argument") is None


def test_nodes_are_found_by_their_ops_in_the_order_of_the_graph() -> None:
    nodes = tuple(new_node(op, name) for op, name in [("B", "z"), ("A", "y"), ("C", "x"), ("B", "a")])
    graph = Graph(nodes)
    assert [node.name for node in graph.of(("A", "B", "D"))] == ["z", "y", "a"]
    assert [node.name for node in graph.of(("C",))] == ["x"]
    assert not graph.of(("D",))
    assert graph.ops == {"A", "B", "C"}


def test_consumers_count_control_edges_and_each_reader_once() -> None:
    found = {name: [reader.name for reader in readers] for name, readers in GRAPH.consumers.items()}
    assert found == {"small": ["same"], "x": ["same", "y"], "same": ["again"], "large": ["y"]}


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("small", [1, 2]),
        ("again", [1, 2]),
        ("inline", [[3]]),
        ("large", None),
        ("words", None),
        ("bare", None),
        ("x", None),
    ],
)
def test_the_value_of_a_small_constant_is_known(reference: str, value: list[object] | None) -> None:
    found = GRAPH.constant(reference)
    assert (None if found is None else found.tolist()) == value


@pytest.mark.parametrize(
    ("reference", "shape"),
    [
        ("small", (2,)),
        ("again", (2,)),
        ("large", (5, 13)),
        ("inline", (1, 1)),
        ("words", (65,)),
        ("x", None),
        ("y", None),
    ],
)
def test_the_shape_of_any_constant_is_known(reference: str, shape: tuple[int, ...] | None) -> None:
    assert GRAPH.constant_shape(reference) == shape


def test_asking_for_a_constant_changes_no_node() -> None:
    before = [one.message.SerializeToString(deterministic=True) for one in GRAPH.nodes]
    for name in GRAPH.by_name:
        GRAPH.constant(name)
        GRAPH.constant_shape(name)
    assert [one.message.SerializeToString(deterministic=True) for one in GRAPH.nodes] == before


def test_large_weights_give_way_to_placeholders_of_their_dtype_and_shape() -> None:
    stripped = GRAPH.without_weights()
    assert set(stripped.weights) == {"small", "words"}
    assert [one.name for one in stripped.nodes] == [one.name for one in GRAPH.nodes]
    stand_in = stripped.by_name["large"]
    assert stand_in == new_node(
        "Placeholder", "large", dtype=FLOAT, shape=TensorShapeProto(dim=[{"size": 5}, {"size": 13}])
    )


def test_a_placeholder_in_a_loop_waits_for_the_frame_as_its_weight_did() -> None:
    inside = new_node("Const", "large", ["^frame"], dtype=FLOAT)
    stripped = Graph((inside,), {"large": weight(LARGE)}).without_weights()
    assert list(stripped.nodes[0].input) == ["^frame"]


@pytest.mark.parametrize(("op", "loops"), [("Enter", True), ("While", False)])
def test_only_version_1_loops_have_frames(op: str, loops: bool) -> None:
    assert Graph((new_node(op, "n"),)).has_loops is loops


SPEC = TensorSpec(Tensor("x"), FLOAT, (None,))
MODEL = Model(
    graph=GRAPH,
    signatures={"s": Signature({"in": SPEC}, {"out": TensorSpec(Tensor("y"))})},
    functions={"f": Function(FunctionDef(), Graph((const("c", SMALL),), {"c": weight(SMALL)}), {})},
)


def test_a_change_reaches_the_graph_and_those_of_the_functions() -> None:
    emptied = MODEL.with_graphs(lambda graph: Graph(()))
    assert [graph.nodes for graph in emptied.graphs] == [(), ()]
    assert len(MODEL.graphs[0].nodes) == 9


def test_a_change_reaches_every_entry_of_every_signature() -> None:
    changed = MODEL.map_signatures(lambda spec: replace(spec, tensor=Tensor("z")))
    assert {spec.tensor.node for spec in changed.signatures["s"].specs} == {"z"}
    assert changed.signatures["s"].inputs["in"].shape == (None,)


def test_the_entries_of_a_signature_are_inputs_then_outputs() -> None:
    assert [spec.tensor.node for spec in MODEL.signatures["s"].specs] == ["x", "y"]


def test_weights_are_counted_in_the_graph_and_in_functions() -> None:
    assert MODEL.weight_bytes == SMALL.nbytes + LARGE.nbytes + 260 + SMALL.nbytes


IDENTITIES = (
    new_node("Const", "c"),
    new_node("Identity", "i", ["c"]),
    new_node("Identity", "j", ["i:0"]),
    new_node("Identity", "a", ["b"]),
    new_node("Identity", "b", ["a"]),
    new_node("Identity", "k", ["argument"]),
    new_node("Identity", "none"),
)


@pytest.mark.parametrize(
    ("name", "source"),
    [("c", "c"), ("i", "c"), ("j", "c"), ("k", "argument"), ("none", "none"), ("nowhere", "nowhere")],
)
def test_the_source_of_a_value_is_behind_the_identities(name: str, source: str) -> None:
    graph = Graph(IDENTITIES)
    assert (graph.source(name), graph.source(name)) == (source, source)


def test_identities_in_a_circle_have_no_constant_behind_them() -> None:
    assert Graph(IDENTITIES).constant_shape("a") is None


def test_the_sources_of_a_long_chain_are_found_in_no_time() -> None:
    chain = [new_node("Identity", f"i{at}", [f"i{at + 1}"]) for at in range(20_000)]
    graph = Graph((*chain, new_node("Const", "i20000")))
    assert {graph.source(name) for name in graph.by_name} == {"i20000"}
