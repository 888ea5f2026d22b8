"""Models of any size, generated: graph models as TensorFlow.js' converter writes them, in shards of 4 MiB.

Their signatures have dtypes and shapes, so that a build of them needs nothing from TensorFlow. The weights of one model
are all different: equal ones would be stored once.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

__all__ = ["WEIGHT_BYTES", "write_nodes", "write_weights"]

Json: TypeAlias = Mapping[str, Any]

_SHARD = 4 << 20
_LANES = 10
_WIDTH = 8
"""Elements of the vectors that flow through a graph of many nodes."""
_SIDE = 2048
"""Rows and columns of a large weight."""
WEIGHT_BYTES = 4 * _SIDE * _SIDE
"""What a large weight takes in the output: 16 MiB of float32."""
_FORMS: tuple[Json, ...] = (
    {},
    {},
    {},
    {"dtype": "float16"},
    {},
    {},
    {},
    {"dtype": "uint8", "scale": 0.001, "min": -0.128},
)
"""How the large weights are quantized, in turn."""
_STORED = {"float32": 4, "float16": 2, "uint8": 1}
"""Bytes of an element."""


def write_nodes(folder: Path, count: int, *, seed: int = 0) -> Path:
    """A model of exactly `count` nodes, at least 12, and small weights; the path of its model.json.

    Ten lanes of blocks (a fused product, Prelu, a residual, a gate) that end in one sum.
    """
    blocks = (count - 2) // 10
    ends = ["x"] * _LANES
    nodes = [_placeholder("x", _WIDTH)]
    for index in range(blocks):
        nodes += _block(f"block_{index}", ends[index % _LANES])
        ends[index % _LANES] = f"block_{index}"
    nodes.append(_node("AddN", "sum", ends, N={"i": str(_LANES)}))
    nodes += _tail("sum", count - len(nodes))
    random = np.random.default_rng(seed)
    content = b"".join(_block_content(random) for _ in range(blocks))
    entries = [entry for index in range(blocks) for entry in _block_entries(f"block_{index}")]
    shards = (content[start : start + _SHARD] for start in range(0, len(content), _SHARD))
    return _write(folder, nodes, entries, shards, _WIDTH)


def write_weights(folder: Path, count: int) -> Path:
    """A model of `count` weights that take 16 MiB each in the output, a quarter of them quantized."""
    forms = [_FORMS[index % len(_FORMS)] for index in range(count)]
    nodes, entries, last = [_placeholder("x", _SIDE)], [], "x"
    for index, form in enumerate(forms):
        weight, product = f"weight_{index}", f"product_{index}"
        nodes += [_const(weight, "DT_FLOAT"), _node("MatMul", product, [last, weight])]
        entries.append(_entry(weight, "float32", [_SIDE, _SIDE], form))
        last = product
    size = sum(_SIDE * _SIDE * _STORED[str(form.get("dtype", "float32"))] for form in forms)
    return _write(folder, nodes, entries, _distinct_shards(size), _SIDE)


class _Held(NamedTuple):
    """A weight of a block: what it is called there, its dtype and its shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]


_HELD = (
    _Held("kernel", "float32", (_WIDTH, _WIDTH)),
    _Held("bias", "float32", (_WIDTH,)),
    _Held("alpha", "float32", (_WIDTH,)),
    _Held("shape", "int32", (2,)),
)
_DTYPES = {"float32": "DT_FLOAT", "int32": "DT_INT32"}


def _block(name: str, x: str) -> list[Json]:
    """Ten nodes, the last of which has the block's name."""
    kernel, bias, alpha, shape = (f"{name}/{held.name}" for held in _HELD)
    fused_ops = {"list": {"s": [base64.b64encode(op).decode() for op in (b"BiasAdd", b"Relu6")]}}
    fused = _node("_FusedMatMul", f"{name}/fused", [x, kernel, bias], fused_ops=fused_ops, num_args={"i": "1"})
    return [
        *(_const(f"{name}/{held.name}", _DTYPES[held.dtype]) for held in _HELD),
        fused,
        _node("Prelu", f"{name}/prelu", [f"{name}/fused", alpha]),
        _node("AddV2", f"{name}/residual", [f"{name}/prelu", x]),
        _node("Reshape", f"{name}/reshape", [f"{name}/residual", shape], Tshape={"type": "DT_INT32"}),
        _node("Sigmoid", f"{name}/gate", [f"{name}/reshape"]),
        _node("Mul", name, [f"{name}/gate", f"{name}/reshape"]),
    ]


def _block_entries(name: str) -> Iterator[Json]:
    yield from (_entry(f"{name}/{held.name}", held.dtype, held.shape) for held in _HELD)


def _block_content(random: np.random.Generator) -> bytes:
    floats = sum(int(np.prod(held.shape)) for held in _HELD if held.dtype == "float32")
    return random.standard_normal(floats, np.float32).tobytes() + np.array([1, _WIDTH], np.int32).tobytes()


def _distinct_shards(size: int) -> Iterator[bytes]:
    """The same random values again and again, each time with another number in front."""
    values = np.random.default_rng(0).standard_normal(_SHARD // 4, np.float32).tobytes()
    for index, start in enumerate(range(0, size, _SHARD)):
        yield (index.to_bytes(8, "little") + values[8:])[: size - start]


# The format --------------------------------------------------------------------------------------


def _node(op: str, name: str, inputs: Sequence[str], **attrs: Json) -> Json:
    return {"name": name, "op": op, "input": list(inputs), "attr": {"T": {"type": "DT_FLOAT"}, **attrs}}


def _placeholder(name: str, width: int) -> Json:
    attrs = {"dtype": {"type": "DT_FLOAT"}, "shape": {"shape": _shape(width)}}
    return {"name": name, "op": "Placeholder", "attr": attrs}


def _const(name: str, dtype: str) -> Json:
    return {"name": name, "op": "Const", "attr": {"dtype": {"type": dtype}, "value": {"tensor": {"dtype": dtype}}}}


def _tail(name: str, count: int) -> list[Json]:
    """A chain of so many nodes after the node `name`."""
    names = [name, *(f"tail_{index}" for index in range(count))]
    return [_node("Identity", new, [old]) for old, new in pairwise(names)]


def _entry(name: str, dtype: str, shape: Iterable[int], quantization: Json | None = None) -> Json:
    entry = {"name": name, "dtype": dtype, "shape": list(shape)}
    return {**entry, "quantization": quantization} if quantization else entry


def _shape(width: int) -> Json:
    return {"dim": [{"size": "1"}, {"size": str(width)}]}


def _write(folder: Path, nodes: Sequence[Json], entries: Sequence[Json], shards: Iterable[bytes], width: int) -> Path:
    """Write a model of one input and one output, both `[1, width]`: the first node and the last."""
    folder.mkdir(parents=True)
    paths = []
    for index, shard in enumerate(shards):
        paths.append(f"group1-shard{index + 1}.bin")
        (folder / paths[-1]).write_bytes(shard)
    sides = (
        {node["name"]: {"name": f"{node['name']}:0", "dtype": "DT_FLOAT", "tensorShape": _shape(width)}}
        for node in (nodes[0], nodes[-1])
    )
    document = {
        "format": "graph-model",
        "signature": dict(zip(("inputs", "outputs"), sides)),
        "modelTopology": {"node": nodes, "versions": {"producer": 1395}},
        "weightsManifest": [{"paths": paths, "weights": entries}],
    }
    (folder / "model.json").write_text(json.dumps(document))
    return folder / "model.json"
