"""Bundles that mean harm, or are damaged: a function for each, which writes the folder of a SavedModel."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node, shape_proto
from bundler.ir.protos import MetaGraphDef, NodeDef, SavedModel

__all__ = ["BUNDLES", "write_sound"]

MODEL = "saved_model.pb"
RECORD = "assets.extra/bundle.json"
ESCAPE = "\x1b[31m\r\n\x00"


def _saved(nodes: list[NodeDef], key: str = "serving_default", size: int = 2) -> SavedModel:
    """A SavedModel whose one signature takes and gives `x`."""
    saved = SavedModel(saved_model_schema_version=1)
    metagraph: MetaGraphDef = saved.meta_graphs.add()
    metagraph.meta_info_def.tags.append("serve")
    metagraph.graph_def.node.extend(nodes)
    metagraph.graph_def.versions.producer = 1882
    signature = metagraph.signature_def[key]
    signature.method_name = "tensorflow/serving/predict"
    for side in (signature.inputs, signature.outputs):
        side["x"].name, side["x"].dtype = "x:0", DType.float32
        side["x"].tensor_shape.dim.add(size=size)
    return saved


def _x(name: str = "x") -> NodeDef:
    return new_node("Placeholder", name, dtype=DType.float32, shape=shape_proto((2,))).message


def _relu(name: str, reads: str) -> NodeDef:
    return new_node("Relu", name, [reads], T=DType.float32).message


def _write(folder: Path, saved: SavedModel) -> None:
    folder.mkdir(parents=True)
    (folder / MODEL).write_bytes(saved.SerializeToString())


def write_sound(folder: Path) -> None:
    """One that is sound."""
    _write(folder, _saved([_x()]))


def _bytes(content: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        write_sound(folder)
        (folder / MODEL).write_bytes(content((folder / MODEL).read_bytes()))

    return write


def _message(saved: Callable[[], SavedModel]) -> Callable[[Path], None]:
    return lambda folder: _write(folder, saved())


def _recorded(text: Callable[[], str]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        write_sound(folder)
        (folder / RECORD).parent.mkdir()
        (folder / RECORD).write_text(text())

    return write


def _nested() -> SavedModel:
    """An attribute of a function of a function …: as deep as Python's protobuf writes."""
    node = _relu("y", "x")
    inner = node.attr["f"]
    for _ in range(25):
        inner = inner.func.attr["f"]
    inner.i = 1
    return _saved([_x(), node])


def _deep(depth: int) -> bytes:
    """The same, deeper than protobuf reads: tags and lengths are put around each other."""
    attribute = b"\x18\x01"
    for _ in range(depth):
        attribute = _field(10, _field(2, _field(1, b"f") + _field(2, attribute)))  # AttrValue.func.attr["f"]
    node = _field(1, b"y") + _field(2, b"Relu") + _field(5, _field(1, b"f") + _field(2, attribute))
    return _field(2, _field(2, _field(1, node)))


def _empty_nodes(count: int) -> bytes:
    return _field(2, _field(2, b"\x0a\x00" * count))


def _empty_functions(count: int) -> bytes:
    return _field(2, _field(2, _field(2, b"\x0a\x00" * count)))


def _empty_nodes_of_a_function(count: int) -> bytes:
    function = _field(1, _field(1, b"f")) + b"\x1a\x00" * count
    return _field(2, _field(2, _field(2, _field(1, function))))


def _empty_signatures(count: int) -> bytes:
    return _field(2, b"\x2a\x00" * count)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    spelled = b""
    while value > 127:
        spelled, value = spelled + bytes([value & 127 | 128]), value >> 7
    return spelled + bytes([value])


def _of_a_signature(key: str = "serving_default", size: int = 2) -> Callable[[], SavedModel]:
    return lambda: _saved([_x()], key, size)


def _constant(*sizes: int) -> SavedModel:
    """A signature gives a constant of this shape, whose one value stands for all of its elements."""
    saved = _saved([_x(), new_node("Const", "c", dtype=DType.float32).message])
    tensor = saved.meta_graphs[0].graph_def.node[1].attr["value"].tensor
    tensor.dtype = DType.float32
    for size in sizes:
        tensor.tensor_shape.dim.add(size=size)
    tensor.float_val.append(1)
    saved.meta_graphs[0].signature_def["serving_default"].outputs["x"].name = "c:0"
    return saved


def _many(count: int) -> SavedModel:
    return _saved([_x(), *(_relu(f"y{at}", "x") for at in range(count))])


def _many_signatures() -> SavedModel:
    saved = _saved([_x()])
    known = saved.meta_graphs[0].signature_def
    for at in range(30_000):
        known[f"k{at}"].method_name = "m"
    return saved


def _calls_itself() -> SavedModel:
    saved = _saved([_x(), new_node("PartitionedCall", "y", ["x"], f=_called("f")).message])
    function = saved.meta_graphs[0].graph_def.library.function.add()
    function.signature.name = "f"
    function.node_def.append(new_node("PartitionedCall", "z", [], f=_called("f")).message)
    saved.meta_graphs[0].signature_def["serving_default"].outputs["x"].name = "y:0"
    return saved


def _called(name: str) -> object:
    node = NodeDef()
    node.attr["f"].func.name = name
    return node.attr["f"].func


def _circle() -> SavedModel:
    saved = _saved([_x(), _relu("y", "z"), _relu("z", "y")])
    saved.meta_graphs[0].signature_def["serving_default"].outputs["x"].name = "z:0"
    return saved


def _no_such_tensor() -> SavedModel:
    saved = _saved([_x()])
    saved.meta_graphs[0].signature_def["serving_default"].outputs["x"].name = f"{ESCAPE}:99999999999999999999"
    return saved


def _controls() -> SavedModel:
    saved = _saved([_x(), _relu(f"y{ESCAPE}", "x"), NodeDef(name="z", op=ESCAPE)], ESCAPE)
    saved.meta_graphs[0].meta_info_def.tags.append(ESCAPE)
    signature = saved.meta_graphs[0].signature_def[ESCAPE]
    signature.method_name = ESCAPE
    signature.outputs[ESCAPE].CopyFrom(signature.outputs["x"])
    return saved


def _pipe(folder: Path) -> None:
    folder.mkdir()
    os.mkfifo(folder / MODEL)


def _link(folder: Path) -> None:
    folder.mkdir()
    (folder / MODEL).symlink_to("/dev/zero")


def _index_without_end(folder: Path) -> None:
    write_sound(folder)
    (folder / "variables").mkdir()
    (folder / "variables" / "variables.index").write_bytes(b"\xff" * 100_000)
    (folder / "variables" / "variables.data-00000-of-00001").write_bytes(b"")


def _index(folder: Path, entries: bytes, times: int) -> None:
    """A bundle with a table of variables: one block with these entries, which is named a number of times."""
    write_sound(folder)
    (folder / "variables").mkdir()
    (folder / "variables" / "variables.data-00000-of-00001").write_bytes(bytes(4))
    header, end = b"\0\0\2\x08\1", bytes(4 + 5)
    block = header + entries + end
    handle = b"\0" + _varint(len(block) - 5)
    named = (b"\0\0" + bytes([len(handle)]) + handle) * times
    footer = b"\0\0" + _varint(len(block)) + _varint(len(named) + 4)
    magic = 0xDB4775248B80FB57.to_bytes(8, "little")
    (folder / "variables" / "variables.index").write_bytes(block + named + end + footer.ljust(40, b"\0") + magic)


def _index_of_one_block(folder: Path) -> None:
    """20 kB with the names of four million variables for a reader that reads a block as often as it is named."""
    _index(folder, b"\0\1\2k\x08\7" * 2000, 2000)


def _index_of_long_names(folder: Path) -> None:
    """A megabyte with 5 GB of names: each is that before it, and one letter more."""
    variable = b"\x08\1\x28\4"  # a scalar of the dtype float32, of four bytes
    _index(folder, b"".join(_varint(length) + b"\1\4k" + variable for length in range(100_000)), 1)


def _record_of(model: object) -> str:
    return json.dumps({"bundler": "0.1.0", "manifest": "x", "report": {"name": ESCAPE, "models": model}})


BUNDLES: dict[str, Callable[[Path], None]] = {
    "sound": write_sound,
    "empty": _bytes(lambda content: b""),
    "cut short": _bytes(lambda content: content[: len(content) // 2]),
    "a page": _bytes(lambda content: b"<!DOCTYPE html><html></html>"),
    "a length beyond the file": _bytes(lambda content: b"\x12\xff\xff\xff\xff\x7f" + content),
    "a length of eleven bytes": _bytes(lambda content: b"\x12" + b"\xff" * 11),
    "a group without end": _bytes(lambda content: content + b"\x0b" * 100_000),
    "attributes nested deep": _message(_nested),
    "attributes nested too deep": _bytes(lambda content: _deep(2000)),
    "a million empty nodes": _bytes(lambda content: _empty_nodes(1_100_000)),
    "a million empty functions": _bytes(lambda content: _empty_functions(1_100_000)),
    "a million empty nodes of a function": _bytes(lambda content: _empty_nodes_of_a_function(1_100_000)),
    "a million empty signatures": _bytes(lambda content: _empty_signatures(1_100_000)),
    "a million empty MetaGraphs": _bytes(lambda content: b"\x12\x00" * 1_100_000),
    "ten thousand nodes": _message(lambda: _many(10_000)),
    "thirty thousand signatures": _message(_many_signatures),
    "a constant of more elements than a number counts": _message(lambda: _constant(1 << 40, 1 << 40)),
    "a constant without elements in sizes beyond all arrays": _message(lambda: _constant(0, 1 << 40, 1 << 40)),
    "a constant of a hundred dimensions": _message(lambda: _constant(*[1] * 100)),
    "a constant of a hundred thousand dimensions": _message(lambda: _constant(*[1 << 62] * 100_000)),
    "a size below minus one": _message(_of_a_signature(size=-(1 << 62))),
    "a size of an exabyte": _message(_of_a_signature(size=1 << 62)),
    "a function that calls itself": _message(_calls_itself),
    "nodes in a circle": _message(_circle),
    "two nodes of one name": _message(lambda: _saved([_x(), _x()])),
    "a tensor that is not there": _message(_no_such_tensor),
    "names with control characters": _message(_controls),
    "a pipe": _pipe,
    "a link to a device": _link,
    "an index without end": _index_without_end,
    "an index that names a block again and again": _index_of_one_block,
    "an index of long names": _index_of_long_names,
    "a record nested deep": _recorded(lambda: "[" * 100_000),
    "a record of a number": _recorded(lambda: "9" * 10_000),
    "a record of other types": _recorded(lambda: _record_of({"name": 1})),
    "a record of strange names": _recorded(lambda: _record_of([{"name": ESCAPE, "source": ESCAPE, "nodes": -1}])),
}
