"""TensorFlow's runtime, where TensorFlow itself must say: shapes, a real load, a real run.

It works in a process of its own (see `bundler.runtimes.child`), so that what kills TensorFlow does not kill
the build, and loading its library, half a second, goes on beside the conversion. Two engines serve the
same verbs there: the C API of the library in TensorFlow's wheel, and `import tensorflow`
where the wheel has no such library (Windows).

    with Runtime() as runtime:
        runtime.shapes(graph_def, ["y:0"])  # [(DType.float32, (None, 10))]
        runtime.load(folder, ["serve"], ["y:0"])
        runtime.run(folder, ["serve"], {"x:0": image}, ["y:0"])
        runtime.execute(graph_def, ["save"])
"""

from __future__ import annotations

import json
import pickle
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Shape, Tensor
from bundler.ir.protos import tensorflow_folder
from bundler.runtimes.child import Child
from bundler.runtimes.failures import Refused

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Runtime", "identity"]

_LIBRARIES = ("libtensorflow_cc.so.2", "libtensorflow_cc.2.dylib")
_REF = 100
"""What is added to the number of a dtype for a reference to a tensor of it: HashTable gives a string_ref."""
_START = (
    "import json, sys; sys.path[:0], library = json.loads(sys.argv[1]); from engines.serve import serve; serve(library)"
)


class Runtime:
    """TensorFlow in a child process, which starts with the first question, or earlier with `start`.

    Tensors are named as everywhere: `y`, `y:1`. GPUs are hidden unless `cuda`; `environment` is
    added to the child's, as in `{"TF_ENABLE_ONEDNN_OPTS": "0"}`. `engine` is chosen by what is
    installed.

    Every verb raises Refused with TensorFlow's words, and Died if the process ends before it answers; the next
    question starts it again.
    """

    def __init__(
        self,
        *,
        cuda: bool = False,
        environment: Mapping[str, str] | None = None,
        engine: Literal["native", "python"] | None = None,
    ) -> None:
        library = None if engine == "python" else _library()
        if engine == "native" and library is None:
            raise BundlerError("TensorFlow has no C library here", where=str(tensorflow_folder()))
        settings = {"TF_CPP_MIN_LOG_LEVEL": "3"} | ({} if cuda else {"CUDA_VISIBLE_DEVICES": "-1"})
        self._new_child = partial(Child, "TensorFlow's runtime", _command(library), settings | dict(environment or {}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_started(self) -> bool:
        """Whether there was a question, or `start` was called."""
        return "_child" in vars(self)

    def start(self) -> None:
        """Start the process now and return at once: TensorFlow's library loads while the caller works."""
        _ = self._child

    def close(self) -> None:
        """End the process, whatever it is doing. Nothing can be asked afterwards."""
        if self.is_started:
            self._child.close()

    def shapes(self, graph_def: bytes, tensors: Sequence[str]) -> list[tuple[DType, Shape | None]]:
        """The dtype and shape that TensorFlow infers for tensors of a serialized GraphDef.

        A shape is None where the rank is unknown.
        """
        return _specs(self._ask("", "shapes", graph_def, _ports(tensors)))

    def load(self, folder: Path, tags: Sequence[str], tensors: Sequence[str]) -> list[tuple[DType, Shape | None]]:
        """Load a SavedModel as TensorFlow Serving does, look up tensors, and let it go again."""
        return _specs(self._ask(str(folder), "load", str(folder.absolute()), list(tags), _ports(tensors)))

    def run(
        self,
        folder: Path,
        tags: Sequence[str],
        feeds: Mapping[str, np.ndarray],
        fetches: Sequence[str],
        seconds: float | None = None,
    ) -> list[np.ndarray]:
        """The values of `fetches` when the tensors `feeds` have these values.

        Strings are object arrays of bytes. The SavedModel stays loaded until another is run. Raises Died also if that
        takes longer than `seconds`.
        """
        values = [_show(value) for value in feeds.values()]
        args = (str(folder.absolute()), list(tags), _ports(feeds), values, _ports(fetches))
        return [_parse(value) for value in self._ask(str(folder), "run", *args, seconds=seconds)]

    def execute(self, graph_def: bytes, nodes: Sequence[str]) -> None:
        """Run nodes of a serialized GraphDef for what they do; nothing is left of the graph afterwards."""
        self._ask("", "execute", graph_def, list(nodes))

    @cached_property
    def _child(self) -> Child:
        return self._new_child()

    def _ask(self, where: str, verb: str, *args: object, seconds: float | None = None) -> list[Any]:
        refusal, result = pickle.loads(self._child.ask(pickle.dumps((verb, args)), seconds))
        if refusal is not None:
            raise Refused(f"TensorFlow: {_tidy(refusal)}", where=where)
        found: list[Any] = result
        return found


def identity() -> str:
    """What tells one installed TensorFlow from another, without loading it: its library's size and time."""
    installed = Path(_library() or tensorflow_folder() / "__init__.py").stat()
    return f"{installed.st_size} {installed.st_mtime_ns}"


def _library() -> str | None:
    """The library with the C API in TensorFlow's wheel."""
    found = [tensorflow_folder() / name for name in _LIBRARIES]
    return next((str(path) for path in found if path.is_file()), None)


def _command(library: str | None) -> list[str]:
    """How to start the child: only its own folder is imported from, so that it is up in no time."""
    own = str(Path(__file__).parent)
    path = [own, *sys.path] if library is None else [own]
    return [sys.executable, "-I", "-S", "-c", _START, json.dumps([path, library])]


def _ports(tensors: Sequence[str] | Mapping[str, object]) -> list[tuple[str, int]]:
    return [(tensor.node, tensor.port) for tensor in map(Tensor.parse, tensors)]


def _specs(told: Sequence[tuple[int, Shape | None]]) -> list[tuple[DType, Shape | None]]:
    return [(DType(dtype % _REF), shape) for dtype, shape in told]


def _show(value: np.ndarray) -> tuple[int, tuple[int, ...], bytes | list[bytes]]:
    """A tensor as plain data: dtype, shape, and its bytes, or for strings a list of them."""
    if value.dtype.kind in "OSU":
        strings = [text.encode() if isinstance(text, str) else bytes(text) for text in value.flat]
        return DType.string.value, value.shape, strings
    dtype = DType.parse(value.dtype.name)
    return dtype.value, value.shape, value.astype(dtype.numpy).tobytes()


def _parse(value: tuple[int, tuple[int, ...], bytes | list[bytes]]) -> np.ndarray:
    dtype, shape, content = value
    if isinstance(content, bytes):
        return np.frombuffer(content, DType(dtype).numpy).reshape(shape)
    made = np.empty(len(content), object)
    made[:] = content
    return made.reshape(shape)


_NOISE = (
    r"(?m)^(Graph execution error:|Detected at node .*|Node: .*|\d+ root error\(s\) found\.)$",
    r"\(0\) [A-Z_]+: ",  # the first of several root errors
    r" Op<name=.*>;(?= NodeDef)",  # the op's whole definition
    r" in binary running on .*",
    r" (Make sure the Op|Check that the directory|To inspect available|\(Check whether) .*",
)
"""What TensorFlow says around an error: prefaces, advice for other people, and this machine's name."""


def _tidy(message: str) -> str:
    """The sentence that says what is wrong, and the node if it follows."""
    for noise in _NOISE:
        message = re.sub(noise, "", message)
    said = [line.strip() for line in message.splitlines() if line.strip()]
    nodes = [line for line in said[1:2] if line.startswith("[[")]
    return " ".join([*said[:1], *nodes])
