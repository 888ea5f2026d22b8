"""Graphs in files, read in place: they are those that protobuf reads, and their large constants stay in the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import new_node
from bundler.ir.protos import FunctionDef, FunctionDefLibrary, GraphDef, NodeDef, TensorProto
from bundler.ir.weight import Weight
from bundler.stored.graphs import read_frozen
from bundler.stored.metagraphs import read_graphs
from tests.support.places import MANIFESTS
from tests.support.saved import read

TWO = f"""
[bundle]
name = "two"

[[model]]
name = "one"
source = "{MANIFESTS / "models" / "edges" / "model.json"}"

[[model]]
name = "other"
source = "{MANIFESTS / "models" / "digits" / "model.json"}"
"""


def const(name: str, *sizes: int) -> NodeDef:
    values = np.arange(np.prod(sizes), dtype=np.float32).reshape(sizes)
    return new_node("Const", name, dtype=DType.float32, value=values).message


def listed(name: str, *sizes: int) -> NodeDef:
    """A constant whose values are listed one by one."""
    tensor = TensorProto(dtype=DType.float32.value, float_val=range(int(np.prod(sizes))))
    for size in sizes:
        tensor.tensor_shape.dim.add(size=size)
    return new_node("Const", name, dtype=DType.float32, value=tensor).message


def relu(name: str, reads: str) -> NodeDef:
    return new_node("Relu", name, [reads], T=DType.float32).message


NODES = [
    *(const(f"small{number}", number % 7) for number in range(3000)),  # more than are read at once
    const("large", 100, 100),
    relu("y", "large"),
    const("larger", 300, 300),
    const("largest", 600, 600),
    listed("listed", 50, 50),
    new_node("NoOp", "many", [f"^small{number}" for number in range(1000)]).message,
    new_node("Const", "words", dtype=DType.string, value=TensorProto(dtype=7, string_val=[b"w" * 9999])).message,
    relu("z", "y"),
]
LARGE = ["large", "larger", "largest"]


def spelled(nodes: Iterable[NodeDef], weights: Mapping[str, Weight]) -> list[NodeDef]:
    """Nodes with the values that they lack."""
    made = []
    for node in nodes:
        message = NodeDef.FromString(node.SerializeToString())
        if message.name in weights:
            value = weights[message.name].array()
            message.attr["value"].tensor.CopyFrom(new_node("Const", "c", value=value).message.attr["value"].tensor)
        made.append(message)
    return made


def of(graph: Graph) -> list[NodeDef]:
    return spelled((node.message for node in graph.nodes), graph.weights)


def test_nodes_large_and_small_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "graph.pb").write_bytes(GraphDef(node=NODES).SerializeToString())
    graph = read_frozen(tmp_path / "graph.pb").graph
    assert sorted(graph.weights) == LARGE
    assert of(graph) == NODES


def test_nodes_between_other_fields_are_read_in_their_order(tmp_path: Path) -> None:
    function = FunctionDef(node_def=[relu("y", "x")])
    function.signature.name = "f"
    library = GraphDef(library=FunctionDefLibrary(function=[function])).SerializeToString()
    alone = [GraphDef(node=[node]).SerializeToString() for node in NODES[-6:]]
    (tmp_path / "graph.pb").write_bytes(library.join([b"", *alone]) + b"\x98\x06\x01")  # and an unknown field
    model = read_frozen(tmp_path / "graph.pb")
    assert of(model.graph) == NODES[-6:]
    assert list(model.functions) == ["f"]


def test_a_function_has_the_nodes_of_the_file_and_its_large_constants_stay_there(tmp_path: Path) -> None:
    function = FunctionDef(node_def=NODES, ret={"r": "z:activations:0"})
    function.signature.name = "f"
    function.signature.output_arg.add(name="r", type=DType.float32.value)
    library = FunctionDefLibrary(function=[function])
    (tmp_path / "graph.pb").write_bytes(GraphDef(node=[relu("a", "b")], library=library).SerializeToString())
    found = read_frozen(tmp_path / "graph.pb").functions["f"]
    assert sorted(found.graph.weights) == LARGE
    assert of(found.graph) == NODES
    assert found.definition == FunctionDef(signature=function.signature)
    assert {name: str(tensor) for name, tensor in found.returns.items()} == {"r": "z"}


@pytest.mark.parametrize("name", ["tiny", "two"])
def test_a_bundle_read_in_place_has_the_graph_that_protobuf_reads(name: str, tmp_path: Path) -> None:
    (tmp_path / "two.toml").write_text(TWO)
    folder = tmp_path / name
    bundler.build((MANIFESTS if name == "tiny" else tmp_path) / f"{name}.toml", output=folder, check=False)
    (stored,) = read_graphs(folder)
    (whole,) = read(folder).meta_graphs
    assert stored.model.graph.weights
    assert of(stored.model.graph) == list(whole.graph_def.node)
    functions = {function.signature.name: function for function in whole.graph_def.library.function}
    assert stored.model.functions.keys() == functions.keys()
    for key, function in stored.model.functions.items():
        assert [node.name for node in function.graph.nodes] == [node.name for node in functions[key].node_def]
