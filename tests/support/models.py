"""Small TensorFlow.js models on disk, written as the converter of TensorFlow.js writes them."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from google.protobuf import json_format

from bundler import tfjs
from bundler.artifacts import artifact
from bundler.disk.shards import Group, Memory
from bundler.ir.dtypes import DType
from bundler.ir.model import Model
from bundler.ir.nodes import Node, new_node, shape_proto
from bundler.ir.protos import FunctionDef, GraphDef, TensorProto

__all__ = ["Json", "const", "in_pieces", "placeholder", "read_model", "text", "write_early", "write_model"]

Json: TypeAlias = Mapping[str, Any]
Value: TypeAlias = "np.ndarray | list[bytes]"

NARROWED = {"int64": "int32", "float64": "float32", "complex128": "complex64"}
"""What the converter makes of dtypes that the format lacks; the Const node keeps the wider one."""


def write_model(
    folder: Path,
    nodes: Sequence[Node | Json],
    weights: Mapping[str, Value] = {},
    *,
    functions: Sequence[FunctionDef | Json] = (),
    quantization: Mapping[str, Json] = {},
    shard_bytes: int = 4 << 20,
    gzipped: bool = False,
    **document: Any,
) -> Path:
    """Write `model.json` and its shards into `folder` (made if it is not there), and give the path of `model.json`.

    `nodes` are messages, as `new_node` makes them, or JSON as it is to stand in the file. A weight is an
    array, for strings an object array or a list of bytes; a Const node is made for each that `nodes` lacks, unless it
    belongs to a function (`<function>/…`). `quantization` is by weight, as in the file
    (`{"dtype": "uint8", "scale": 0.5, "min": 0}`): the values are quantized here. All weights are in one group, cut
    into shards of `shard_bytes`; with `gzipped` every file is compressed. What else is given stands in the document:
    `signature`, `userDefinedMetadata`, `format`, …
    """
    listed = [_json(item) for item in nodes]
    library = [_json(item) for item in functions]
    inner = tuple(f"{function['signature']['name']}/" for function in library)
    present = {item.get("name") for item in listed}
    listed += [_json(const(n, value)) for n, value in weights.items() if n not in present and not n.startswith(inner)]
    topology = {"node": listed, "library": {"function": library}, "versions": {"producer": 1395}}
    arrays = {name: _array(value) for name, value in weights.items()}
    entries = [_entry(name, value, quantization.get(name)) for name, value in arrays.items()]
    content = b"".join(_stored(value, quantization.get(name)) for name, value in arrays.items())
    shards = dict(_cut(content, shard_bytes))
    manifest = [{"paths": list(shards), "weights": entries}] if weights else []
    made = {"format": "graph-model", "modelTopology": topology, "weightsManifest": manifest, **document}
    folder.mkdir(parents=True, exist_ok=True)
    for name, piece in {**shards, "model.json": json.dumps(made).encode()}.items():
        (folder / name).write_bytes(gzip.compress(piece, mtime=0) if gzipped else piece)
    return folder / "model.json"


def write_early(model: Path, folder: Path, graph: str = "tensorflowjs_model.pb") -> Path:
    """Write a model of one shard as converters before 1.0 did: the graph as a message, the weights' list in a file."""
    document = json.loads(model.read_text())
    (group,) = document["weightsManifest"]
    folder.mkdir()
    message = json_format.ParseDict(document["modelTopology"], GraphDef())
    (folder / graph).write_bytes(message.SerializeToString())
    (folder / "weights_manifest.json").write_text(json.dumps([{**group, "paths": ["group1-shard1of1"]}]))
    (folder / "group1-shard1of1").write_bytes((model.parent / group["paths"][0]).read_bytes())
    return folder


def read_model(path: Path) -> Model:
    """The model in a folder or behind a `model.json`."""
    return tfjs.read(artifact.open(path))


def placeholder(name: str, *dims: int | None, dtype: DType = DType.float32) -> Node:
    """A Placeholder of that shape, None for a dimension that is not known; without `dims` the shape says nothing."""
    return new_node("Placeholder", name, dtype=dtype, shape=shape_proto(dims))


def const(name: str, value: Value) -> Node:
    """The Const node of a weight, as the converter leaves it: dtype and shape, no content."""
    array = _array(value)
    dtype = DType.string if array.dtype == object else DType.parse(array.dtype.name)
    empty = TensorProto(dtype=dtype.value, tensor_shape=shape_proto(array.shape))
    return new_node("Const", name, dtype=dtype, value=empty)


def text(value: str | bytes) -> str:
    """A string attribute as the file has it: base64."""
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def _json(item: Node | FunctionDef | Json) -> Json:
    if isinstance(item, Mapping):
        return item
    made: Json = json_format.MessageToDict(item.message if isinstance(item, Node) else item)
    return made


def _array(value: Value) -> np.ndarray:
    """A weight as an array: strings are one of objects."""
    return np.array(value, object) if isinstance(value, list) else value


def _file_dtype(value: np.ndarray) -> str:
    return "string" if value.dtype == object else NARROWED.get(value.dtype.name, value.dtype.name)


def _entry(name: str, value: np.ndarray, quantization: Json | None) -> Json:
    entry = {"name": name, "shape": list(value.shape), "dtype": _file_dtype(value)}
    return {**entry, "quantization": quantization} if quantization else entry


def _stored(value: np.ndarray, quantization: Json | None) -> bytes:
    if value.dtype == object:
        return b"".join(len(item).to_bytes(4, "little") + item for item in value.flat)
    if quantization is None:
        return value.astype(_file_dtype(value)).tobytes()
    if "scale" in quantization:
        value = np.round((value - quantization["min"]) / quantization["scale"])
    return value.astype(quantization["dtype"]).tobytes()


def _cut(content: bytes, size: int) -> Iterator[tuple[str, bytes]]:
    count = max(1, -(-len(content) // size))
    for index in range(count):
        yield f"group1-shard{index + 1}of{count}.bin", content[index * size : (index + 1) * size]


def in_pieces(content: bytes, *sizes: int) -> Group:
    """Content as shards of these sizes and one with the rest."""
    cuts = [0, *np.cumsum(sizes).tolist(), len(content)]
    return Group(tuple(Memory(content[start:end]) for start, end in itertools.pairwise(cuts)))
