"""The same model run by TensorFlow.js: what a bundle must agree with.

TensorFlow.js runs in Node on its plain CPU backend (see reference.js). One process serves many
runs, and keeps the models it used last.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Shape
from bundler.runtimes.child import Child
from bundler.runtimes.failures import Refused

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Description", "Port", "TensorFlowJs"]


class Port(NamedTuple):
    """An input or output as TensorFlow.js tells it; None where it does not know."""

    name: str
    dtype: DType | None
    shape: Shape | None


class Description(NamedTuple):
    """The inputs and outputs of a model, in TensorFlow.js' order."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


class TensorFlowJs:
    """TensorFlow.js in a Node process.

    `modules` is the folder `node_modules` that holds @tensorflow/tfjs; `timeout` is in seconds,
    for each question. BundlerError where Node.js or the package is missing.
    """

    def __init__(self, modules: Path, *, timeout: float = 600) -> None:
        if not (modules / "@tensorflow" / "tfjs" / "package.json").is_file():
            raise BundlerError(
                "TensorFlow.js is not installed", where=str(modules), hint="npm install @tensorflow/tfjs"
            )
        script = Path(__file__).with_suffix(".js")
        self._timeout = timeout
        self._child = Child("TensorFlow.js", [_node(), str(script), str(modules.resolve())])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._child.close()

    @property
    def version(self) -> str:
        """TensorFlow.js' version: `4.22.0`."""
        return str(self._ask("hello")["version"])

    @property
    def tensors(self) -> int:
        """How many tensors are alive: the weights of the models in use."""
        return int(self._ask("hello")["tensors"])

    def describe(self, entry: Path) -> Description:
        """The inputs and outputs of the model whose JSON file is `entry`; graph and layers models.

        Here and in `run`: raises Refused with TensorFlow.js' words, and Died as `Child.ask` does.
        """
        told = self._ask("describe", entry=entry)
        return Description(_ports(told["inputs"]), _ports(told["outputs"]))

    def run(
        self,
        entry: Path,
        feeds: Mapping[str, np.ndarray],
        outputs: Sequence[str] | None = None,
    ) -> dict[str, np.ndarray]:
        """The model's outputs for these inputs, by name.

        Both are named as tensors (`x`, `x:0`, `n:1`) or as TensorFlow.js names them (`describe`);
        by default all of the model's outputs. What JavaScript has no array for is fed as the
        nearest thing it has: float64 as float32, any integer as int32. Strings are object arrays
        of bytes.
        """
        narrow = {name: _narrow(name, value) for name, value in feeds.items()}
        heads, payload = _show_tensors(narrow)
        told = self._ask("run", payload, entry=entry, feeds=heads, outputs=None if outputs is None else list(outputs))
        return _parse_tensors(told["tensors"], told["payload"])

    def _ask(self, verb: str, payload: bytes = b"", entry: Path | None = None, **more: object) -> dict[str, Any]:
        where = None if entry is None else str(entry.resolve())
        head = json.dumps({"verb": verb, "entry": where, **more}).encode()
        answer = self._child.ask(len(head).to_bytes(4, "little") + head + payload, self._timeout)
        start = 4 + int.from_bytes(answer[:4], "little")
        told: dict[str, Any] = json.loads(answer[4:start])
        if "error" in told:
            raise Refused(f"TensorFlow.js: {told['error']}", where=where or "")
        return told | {"payload": answer[start:]}


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise BundlerError("Node.js is not installed", hint="TensorFlow.js runs in Node.js 18 or later: install it")
    return node


def _ports(told: Iterable[Mapping[str, Any]]) -> tuple[Port, ...]:
    return tuple(Port(port["name"], _dtype(port["dtype"]), _shape(port["shape"])) for port in told)


def _dtype(told: str | None) -> DType | None:
    return None if told is None else DType.parse(told)


def _shape(told: Sequence[int | None] | None) -> Shape | None:
    return None if told is None else tuple(None if size is None or size < 0 else size for size in told)


_NARROWER = {"f": "float32", "i": "int32", "u": "int32", "b": "bool", "c": "complex64"}
"""TensorFlow.js' dtype for each kind of NumPy's; the kinds O, S and U are strings."""


def _narrow(name: str, value: np.ndarray) -> np.ndarray:
    """The value in a dtype that TensorFlow.js has; Refused if a value does not fit."""
    if value.dtype.kind not in _NARROWER:
        return value.astype(object)
    narrow = value.astype(_NARROWER[value.dtype.kind])
    if value.dtype.kind in "iu" and (narrow != value).any():
        raise Refused("integers beyond 32 bits have no place in TensorFlow.js", where=name)
    return narrow


def _show_tensors(tensors: Mapping[str, np.ndarray]) -> tuple[list[dict[str, object]], bytes]:
    """What reference.js reads: a head for each tensor, and their bytes one after the other."""
    contents = {name: _show_tensor(value) for name, value in tensors.items()}
    heads: list[dict[str, object]] = [
        {
            "name": name,
            "dtype": "string" if value.dtype == object else value.dtype.name,
            "shape": value.shape,
            "size": len(contents[name]),
        }
        for name, value in tensors.items()
    ]
    return heads, b"".join(contents.values())


def _show_tensor(value: np.ndarray) -> bytes:
    if value.dtype != object:
        return value.astype(value.dtype.newbyteorder("<")).tobytes()
    strings = [text.encode() if isinstance(text, str) else bytes(text) for text in value.flat]
    return b"".join(len(string).to_bytes(4, "little") + string for string in strings)


def _parse_tensors(heads: Sequence[Mapping[str, Any]], payload: bytes) -> dict[str, np.ndarray]:
    tensors, at = {}, 0
    for head in heads:
        content, at = payload[at : at + head["size"]], at + head["size"]
        tensors[head["name"]] = _parse_tensor(DType.parse(head["dtype"]), head["shape"], content)
    return tensors


def _parse_tensor(dtype: DType, shape: Sequence[int], content: bytes) -> np.ndarray:
    if dtype != DType.string:
        return np.frombuffer(content, dtype.numpy).reshape(shape)
    strings, at = [], 0
    while at < len(content):
        end = at + 4 + int.from_bytes(content[at : at + 4], "little")
        strings.append(content[at + 4 : end])
        at = end
    made = np.empty(len(strings), object)
    made[:] = strings
    return made.reshape(shape)
