"""Nodes on their way to another process."""

import pickle
import subprocess
import sys

import pytest

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, new_node
from bundler.ir.pack import Packed, pack, unpack

RELU = new_node("Relu", "r", ["x"], T=DType.float32)
X = new_node("Placeholder", "x", dtype=DType.float32)


@pytest.mark.parametrize(
    "nodes",
    [
        (),
        (X,),
        (X, RELU, new_node("NoOp", "n", ["^r"])),
        (new_node("Mystery", "m", ["a:1"], f=[1.5, 2], s=b"\xff", shape=[1, 2], type=[DType.bool]),),
    ],
)
def test_unpacked_nodes_equal_those_that_were_packed(nodes: tuple[Node, ...]) -> None:
    assert unpack(pack(nodes)) == nodes


def test_equal_attributes_are_packed_once() -> None:
    nodes = (X, RELU, RELU._replace(name="s"), new_node("Relu", "t", ["s"], T=DType.float32))
    assert pack(nodes) == Packed(
        op=("Placeholder", "Relu", "Relu", "Relu"),
        name=("x", "r", "s", "t"),
        input=((), ("x",), ("x",), ("s",)),
        attrs=[0, 1, 1, 1],
        sets=[(("dtype", 0),), (("T", 0),)],
        values=[b"0\x01"],
    )


def test_another_process_reads_a_graph_without_tensorflow() -> None:
    program = (
        "import pickle, sys; graph = pickle.load(sys.stdin.buffer); "
        "print([node.name for node in graph.nodes], 'tensorflow' in sys.modules)"
    )
    content = pickle.dumps(Graph((X, RELU)))
    run = subprocess.run([sys.executable, "-c", program], input=content, capture_output=True, check=True)
    assert run.stdout.decode().strip() == "['x', 'r'] False"
