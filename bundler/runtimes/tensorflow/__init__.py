"""TensorFlow's own runtime: it infers shapes, loads SavedModels and runs them.

It works in a process of its own (see `bundler.runtimes.child`): what kills TensorFlow does not kill the build, and its
library, which takes half a second, loads beside the conversion. Two engines answer there: one calls the C API of the
library in TensorFlow's wheel; one imports `tensorflow`, for wheels without that library.

    with Runtime() as runtime:
        runtime.shapes(graph_def, ["y:0"])  # [(DType.float32, (None, 10))]
        runtime.load(folder, ["serve"], ["y:0"])
        runtime.run(folder, ["serve"], {"x:0": image}, ["y:0"])
        runtime.evaluate(graph_def, {"x:0": image}, ["y:0"])
        runtime.execute(graph_def, ["save"])
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Iterable, Mapping, Sequence
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
from bundler.runtimes.tensorflow.installed import identity, library
from bundler.runtimes.tensorflow.messages import tidied
from bundler.runtimes.tensors import packed, unpacked

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Runtime", "identity"]

_REF = 100
"""TensorFlow adds it to a dtype's number for a reference to such a tensor (DataType in framework/types.proto)."""
_START = (
    "import json, sys; sys.path[:0], library = json.loads(sys.argv[1]); from engines.serve import serve; serve(library)"
)


class Runtime:
    """TensorFlow in a child process, which starts with the first question, or earlier with `start`.

    Tensors are named `y` or `y:1`. GPUs are hidden unless `cuda`; `environment` is added to the child's, as in
    `{"TF_ENABLE_ONEDNN_OPTS": "0"}`. `engine` is "native" by default if TensorFlow's wheel has the C library.

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
        found = None if engine == "python" else library()
        if engine == "native" and found is None:
            raise BundlerError("TensorFlow has no C library here", where=str(tensorflow_folder()))
        settings = {"TF_CPP_MIN_LOG_LEVEL": "3"} | ({} if cuda else {"CUDA_VISIBLE_DEVICES": "-1"})
        self._new_child = partial(Child, "TensorFlow's runtime", _command(found), settings | dict(environment or {}))

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
        """End the process, whatever it is doing."""
        if self.is_started:
            self._child.close()

    def shapes(self, graph_def: bytes, tensors: Sequence[str]) -> list[tuple[DType, Shape | None]]:
        """The dtype and shape that TensorFlow infers for tensors of a serialized GraphDef.

        A shape is None if the rank is unknown.
        """
        return _specs(self._ask("", "shapes", graph_def, _ports(tensors)))

    def load(self, folder: Path, tags: Sequence[str], tensors: Sequence[str]) -> list[tuple[DType, Shape | None]]:
        """Load a SavedModel as TensorFlow Serving does; return the dtype and shape of tensors as `shapes` does."""
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
        values = [packed(value) for value in feeds.values()]
        args = (str(folder.absolute()), list(tags), _ports(feeds), values, _ports(fetches))
        return [unpacked(value) for value in self._ask(str(folder), "run", *args, seconds=seconds)]

    def evaluate(self, graph_def: bytes, feeds: Mapping[str, np.ndarray], fetches: Sequence[str]) -> list[np.ndarray]:
        """The values of `fetches` of a serialized GraphDef when the tensors `feeds` have these values, as `run`."""
        values = [packed(value) for value in feeds.values()]
        answer = self._ask("", "evaluate", graph_def, _ports(feeds), values, _ports(fetches))
        return [unpacked(value) for value in answer]

    def call(
        self,
        folder: Path,
        tags: Sequence[str],
        key: str,
        feeds: Mapping[str, np.ndarray],
        seconds: float | None = None,
    ) -> dict[str, np.ndarray]:
        """The outputs of a signature, by name, as a Python program gets them from `tf.saved_model.load`.

        The engine must be "python". The SavedModel stays loaded until another is called.
        """
        values = {name: packed(value) for name, value in feeds.items()}
        args = (str(folder.absolute()), list(tags), key, values)
        found = self._ask(str(folder), "call", *args, seconds=seconds)
        return {name: unpacked(value) for name, value in found.items()}

    def execute(self, graph_def: bytes, nodes: Sequence[str]) -> None:
        """Run nodes of a serialized GraphDef for their effects."""
        self._ask("", "execute", graph_def, list(nodes))

    @cached_property
    def _child(self) -> Child:
        return self._new_child()

    def _ask(self, where: str, verb: str, *args: object, seconds: float | None = None) -> Any:
        refusal, result = pickle.loads(self._child.ask(pickle.dumps((verb, args)), seconds))
        if refusal is not None:
            raise Refused(f"TensorFlow: {tidied(refusal)}", where=where)
        return result


def _command(library: str | None) -> list[str]:
    """The command of the child. It imports from its own folder only, so that it starts within milliseconds."""
    own = str(Path(__file__).parent)
    path = [own, *sys.path] if library is None else [own]
    return [sys.executable, "-I", "-S", "-c", _START, json.dumps([path, library])]


def _ports(tensors: Iterable[str]) -> list[tuple[str, int]]:
    return [(tensor.node, tensor.port) for tensor in map(Tensor.parse, tensors)]


def _specs(found: Iterable[tuple[int, Shape | None]]) -> list[tuple[DType, Shape | None]]:
    return [(DType(number % _REF), shape) for number, shape in found]
