"""The wire format of protobuf, read in place."""

from __future__ import annotations

import io

import pytest

from bundler.encoding.wire import Bytes, Field, fields, varint
from bundler.ir.protos import AttrValue, GraphDef, NodeDef


def source(content: bytes) -> Bytes:
    return Bytes(io.BytesIO(content), len(content))


def test_the_fields_of_a_message_are_found_with_their_places() -> None:
    content = NodeDef(name="y", op="Relu", input=["x"], attr={"T": AttrValue(type=1)}).SerializeToString()
    found = [(each.number, content[each.start : each.end]) for each in fields(source(content), 0, len(content))]
    assert found[:3] == [(1, b"y"), (2, b"Relu"), (3, b"x")]
    assert found[3] == (5, b"\x0a\x01T\x12\x02\x30\x01")


def test_numbers_of_fixed_width_have_their_bytes() -> None:
    content = AttrValue(f=1.0, i=300).SerializeToString() + b"\x49" + b"12345678"
    assert [each.end - each.start for each in fields(source(content), 0, len(content))][-1] == 8


def test_a_file_larger_than_the_window_is_read_from_its_beginning_to_its_end() -> None:
    graph = GraphDef(node=[NodeDef(name=f"node_{number}", op="N" * 3000) for number in range(300)])
    content = graph.SerializeToString()
    read = source(content)
    names = [NodeDef.FromString(read.read(each.start, each.end)).name for each in fields(read, 0, len(content))]
    assert names == [node.name for node in graph.node]
    assert read.read(0, 4) == content[:4]


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, (1 << 63) - 1, (1 << 64) - 1])
def test_an_integer_of_any_size_is_read(value: int) -> None:
    content = bytearray()
    rest = value
    while rest > 0x7F:
        content.append(rest & 0x7F | 0x80)
        rest >>= 7
    content.append(rest)
    assert varint(b"\xff" + bytes(content) + b"\xff", 1) == (value, 1 + len(content))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff", "an integer that does not end"),
        (b"\xff" * 11, "an integer that does not end"),
        (b"\x0a", "an integer that does not end"),
        (b"\x0a\x05abc", "a field that is longer than its message"),
        (b"\x0b", "a field of the unknown wire type 3"),
        (b"\x09abc", "a field that is longer than its message"),
    ],
)
def test_what_is_no_message_is_an_error(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}$"):
        list(fields(source(content), 0, len(content)))


def test_a_field_is_its_number_and_place() -> None:
    assert list(fields(source(b"\x0a\x02hi"), 0, 4)) == [Field(1, 0, 2, 4)]
