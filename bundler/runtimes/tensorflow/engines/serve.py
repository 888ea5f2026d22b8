"""Questions in, answers out: the main loop of the child process."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from queue import SimpleQueue
from typing import IO, Any, Protocol

from .wire import Port, Refused, Spec, Value

__all__ = ["Engine", "serve"]


class Engine(Protocol):
    """A way to call TensorFlow. Each verb raises Refused with TensorFlow's words."""

    def shapes(self, graph_def: bytes, tensors: list[Port]) -> list[Spec]: ...

    def load(self, folder: str, tags: list[str], tensors: list[Port]) -> list[Spec]: ...

    def run(
        self, folder: str, tags: list[str], inputs: list[Port], values: list[Value], outputs: list[Port]
    ) -> list[Value]: ...

    def evaluate(
        self, graph_def: bytes, inputs: list[Port], values: list[Value], outputs: list[Port]
    ) -> list[Value]: ...

    def execute(self, graph_def: bytes, nodes: list[str]) -> None: ...


def serve(library: str | None) -> None:
    """Answer until standard input ends. `library` is the path of the C library; without it, TensorFlow is imported."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # TensorFlow prints to standard output too
    questions: SimpleQueue[tuple[str, tuple[Any, ...]]] = SimpleQueue()
    threading.Thread(target=_receive_all, args=(questions,), daemon=True).start()
    engine = _engine(library)
    while True:
        _send(answers, _answer(engine, *questions.get()))


def _receive_all(questions: SimpleQueue[tuple[str, tuple[Any, ...]]]) -> None:
    """Read questions. Standard input ends when the parent does: then this process ends, whatever it is doing."""
    while (question := _receive(sys.stdin.buffer)) is not None:
        questions.put(question)
    os._exit(0)  # without waiting for TensorFlow's threads and destructors


def _engine(library: str | None) -> Engine:
    if library is not None:
        from .native import Native

        return Native(library)
    from .python import Python

    return Python()


def _answer(engine: Engine, verb: str, args: tuple[Any, ...]) -> tuple[str | None, object]:
    try:
        return None, getattr(engine, verb)(*args)
    except Refused as refusal:
        return str(refusal), None


def _receive(stream: IO[bytes]) -> tuple[str, tuple[Any, ...]] | None:
    length = stream.read(8)
    if len(length) < 8:
        return None
    question: tuple[str, tuple[Any, ...]] = pickle.loads(stream.read(int.from_bytes(length, "little")))
    return question


def _send(stream: IO[bytes], answer: object) -> None:
    content = pickle.dumps(answer)
    stream.write(len(content).to_bytes(8, "little"))
    stream.write(content)
    stream.flush()
