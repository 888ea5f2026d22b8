"""Messages in pieces are what protobuf itself writes."""

from __future__ import annotations

import numpy as np
import pytest

from bundler.disk.shards import Group, Memory
from bundler.encoding.message import Message, field, head, numbers
from bundler.ir.dtypes import DType
from bundler.ir.protos import FunctionDefLibrary, GraphDef, NodeDef, TensorProto
from bundler.ir.weight import Weight


@pytest.mark.parametrize("size", [0, 1, 127, 128, 300, 1 << 14, 1 << 21])
def test_a_field_has_its_length_before_it(size: int) -> None:
    name = "n" * size
    (number,) = numbers(NodeDef, "name")
    assert NodeDef.FromString(field(number, name.encode())).name == name


def test_numbers_are_those_of_the_definition() -> None:
    assert numbers(NodeDef, "name", "op", "input", "attr") == (1, 2, 3, 5)
    assert numbers(NodeDef.AttrEntry, "key", "value") == (1, 2)
    with pytest.raises(KeyError, match="names"):
        numbers(NodeDef, "names")


def test_a_weight_in_nested_messages_has_all_lengths_around_it() -> None:
    content = np.arange(100, dtype=np.float32).tobytes()
    weight = Weight(DType.float32, (100,), Group((Memory(b"??" + content),)), 2, 400, DType.float32)
    tensor = Message(TensorProto(dtype=1).SerializeToString())
    tensor.add(head(*numbers(TensorProto, "tensor_content"), weight.nbytes), weight)
    tensor.add(TensorProto(bool_val=[True]).SerializeToString())
    outer = Message(b"")
    outer.nest(15, tensor)
    outer.add(b"!")
    expected = TensorProto(dtype=1, tensor_content=content, bool_val=[True])
    assert outer.content == field(15, expected.SerializeToString()) + b"!"
    assert outer.size == len(outer.content)


def test_messages_nest_more_than_once() -> None:
    node, library, graph = Message(NodeDef(name="n").SerializeToString()), Message(), Message()
    library.nest(*numbers(GraphDef, "node"), node)
    graph.nest(*numbers(GraphDef, "library"), Message(FunctionDefLibrary().SerializeToString()))
    graph.add(library.content)
    assert GraphDef.FromString(graph.content) == GraphDef(node=[NodeDef(name="n")], library=FunctionDefLibrary())
