"""TensorFlow.js, which runs a model as a browser would: the reference that a bundle is compared with.

It runs in Node.js on its plain CPU backend, in one process for many questions: `javascript.js` is its program, and
describes the messages. The process keeps the models that it used last.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Shape
from bundler.runtimes.child import Child
from bundler.runtimes.failures import Refused
from bundler.runtimes.tensors import packed, unpacked

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Description", "Port", "TensorFlowJs"]


class Port(NamedTuple):
    """An input or output of a model; None for a dtype, rank or size that TensorFlow.js does not know."""

    name: str
    dtype: DType | None
    shape: Shape | None


class Description(NamedTuple):
    """The inputs and outputs of a model, in TensorFlow.js' order."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


class TensorFlowJs:
    """TensorFlow.js in a Node.js process.

    `library` is the folder `node_modules` that holds @tensorflow/tfjs, or the file of the package that needs no other
    (`dist/tf.min.js`). `timeout` is in seconds, for each question; the process keeps `kept` models. Raises BundlerError
    if Node.js or the package is not installed. Every question raises Refused with TensorFlow.js' words, and Died if the
    process ends, or its time is over, before it answers.
    """

    def __init__(self, library: Path, *, timeout: float = 600, kept: int = 4) -> None:
        script = Path(__file__).with_suffix(".js")
        self._timeout = timeout
        self._child = Child("TensorFlow.js", [_node(), str(script), str(_entry(library).resolve()), str(kept)])

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
        return str(self._ask("hello").head["version"])

    @property
    def tensors(self) -> int:
        """How many tensors are alive: the weights of the models that the process keeps."""
        return int(self._ask("hello").head["tensors"])

    def describe(self, entry: Path) -> Description:
        """The inputs and outputs of the model whose JSON file is `entry`; graph and layers models."""
        head = self._ask("describe", entry=entry).head
        return Description(tuple(map(_port, head["inputs"])), tuple(map(_port, head["outputs"])))

    def run(
        self,
        entry: Path,
        feeds: Mapping[str, np.ndarray],
        outputs: Sequence[str] | None = None,
    ) -> dict[str, np.ndarray]:
        """The model's outputs for these inputs, by name; by default all of the model's outputs.

        Names are tensors (`x`, `x:0`, `n:1`) or the names that `describe` gives. Feeds of dtypes that JavaScript lacks
        are converted: other floats to float32, other integers to int32. Strings are object arrays of bytes.
        """
        feeds = {name: _narrowed(name, value) for name, value in feeds.items()}
        heads, payload = _joined(feeds)
        asked = None if outputs is None else list(outputs)
        answer = self._ask("run", payload, entry=entry, feeds=heads, outputs=asked)
        return dict(_tensors(answer.head["tensors"], answer.payload))

    def step(
        self,
        step: Mapping[str, Any],
        values: Sequence[np.ndarray],
        like: np.ndarray | None = None,
        decoder: Path | None = None,
    ) -> list[np.ndarray]:
        """What a step of a composed signature gives for these values: `steps.js` has TensorFlow.js' functions.

        `step` has all parameters, as JSON; `like` is the tensor that its parameter of that name names. Values are
        converted as those of `run`. The package @napi-rs/canvas decodes images: that in the folder `decoder`, by
        default the one beside @tensorflow/tfjs, if it is installed.
        """
        given = {f"_{at}": value for at, value in enumerate(values)} | ({} if like is None else {"like": like})
        heads, payload = _joined({name: _narrowed(name, value) for name, value in given.items()})
        place = None if decoder is None else str(decoder.resolve())
        answer = self._ask("step", payload, step=step, feeds=heads, decoder=place)
        return [value for _, value in _tensors(answer.head["tensors"], answer.payload)]

    def _ask(self, verb: str, payload: bytes = b"", entry: Path | None = None, **more: object) -> _Message:
        place = None if entry is None else str(entry.resolve())
        question = _Message({"verb": verb, "entry": place, **more}, payload)
        answer = _Message.parse(self._child.ask(question.content(), self._timeout))
        if "error" in answer.head:
            raise Refused(f"TensorFlow.js: {answer.head['error']}", where=place or "")
        return answer


def _entry(library: Path) -> Path:
    """What Node.js loads: a file, or the folder of the package."""
    package = library / "@tensorflow" / "tfjs"
    if not (library.is_file() or (package / "package.json").is_file()):
        hint = "npm install @tensorflow/tfjs"
        raise BundlerError("TensorFlow.js is not installed", where=str(library), hint=hint)
    return library if library.is_file() else package


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise BundlerError("Node.js is not installed", hint="TensorFlow.js runs in Node.js 18 or later: install it")
    return node


def _port(spec: Mapping[str, Any]) -> Port:
    dtype, shape = spec["dtype"], spec["shape"]
    return Port(spec["name"], None if dtype is None else DType.parse(dtype), None if shape is None else _known(shape))


def _known(shape: Iterable[int | None]) -> Shape:
    return tuple(None if size is None or size < 0 else size for size in shape)


_NARROWER = {"f": "float32", "i": "int32", "u": "int32", "b": "bool", "c": "complex64"}
"""TensorFlow.js' dtype for each kind of NumPy's numbers."""


def _narrowed(name: str, value: np.ndarray) -> np.ndarray:
    """The value in a dtype that TensorFlow.js has. Raises Refused for an integer that does not fit."""
    if value.dtype.kind not in _NARROWER:
        return value
    narrow = value.astype(_NARROWER[value.dtype.kind])
    if value.dtype.kind in "iu" and (narrow != value).any():
        raise Refused("TensorFlow.js has no integers beyond 32 bits", where=name)
    return narrow


# Messages ----------------------------------------------------------------------------------------


class _Message(NamedTuple):
    """A question or an answer: JSON, and the bytes of the tensors that it describes."""

    head: Mapping[str, Any]
    payload: bytes

    def content(self) -> bytes:
        head = json.dumps(self.head).encode()
        return len(head).to_bytes(4, "little") + head + self.payload

    @classmethod
    def parse(cls, content: bytes) -> _Message:
        start = 4 + int.from_bytes(content[:4], "little")
        return cls(json.loads(content[4:start]), content[start:])


def _joined(tensors: Mapping[str, np.ndarray]) -> tuple[list[dict[str, object]], bytes]:
    """A head for each tensor, and the bytes of all."""
    heads, contents = [], []
    for name, array in tensors.items():
        dtype, shape, content = packed(array)
        contents.append(content if isinstance(content, bytes) else b"".join(map(_prefixed, content)))
        heads.append({"name": name, "dtype": DType(dtype).name, "shape": shape, "size": len(contents[-1])})
    return heads, b"".join(contents)


def _prefixed(string: bytes) -> bytes:
    return len(string).to_bytes(4, "little") + string


def _tensors(heads: Iterable[Mapping[str, Any]], payload: bytes) -> Iterator[tuple[str, np.ndarray]]:
    at = 0
    for head in heads:
        content, at = payload[at : at + head["size"]], at + head["size"]
        dtype = DType.parse(head["dtype"])
        values = list(_strings(content)) if dtype == DType.string else content
        yield head["name"], unpacked((dtype.value, tuple(head["shape"]), values))


def _strings(content: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(content):
        end = at + 4 + int.from_bytes(content[at : at + 4], "little")
        yield content[at + 4 : end]
        at = end
