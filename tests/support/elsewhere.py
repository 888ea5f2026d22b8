"""Functions called in another Python process, which keeps TensorFlow loaded and may die of what it is asked.

All tests share one process for each environment: importing TensorFlow takes seconds of a processor.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeVar

from bundler.runtimes.child import Child
from bundler.runtimes.failures import Refused
from tests.support.places import ROOT

__all__ = ["call"]

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(ROOT)}
Result = TypeVar("Result")


def call(function: Callable[..., Result], *arguments: object, environment: Mapping[str, str]) -> Result:
    """The result of a function at the top of a module, in a process with `environment` beside ours.

    Raises Refused with the traceback of what the function raises, and Died if the process dies; the next call starts it
    again.
    """
    program = _program(frozenset(environment.items()))
    result, refusal = pickle.loads(program.ask(pickle.dumps((function, arguments))))
    if refusal:
        raise Refused(refusal)
    returned: Result = result
    return returned


@cache
def _program(environment: frozenset[tuple[str, str]]) -> Child:
    """The process for an environment. It ends with ours, when its standard input does."""
    return Child("Python with TensorFlow", [sys.executable, "-m", __name__], {**QUIET, **dict(environment)})


def _answer(question: bytes) -> bytes:
    try:
        function, arguments = pickle.loads(question)
        return pickle.dumps((function(*arguments), ""))
    except BaseException:  # SystemExit too, by which command line tools end
        return pickle.dumps((None, traceback.format_exc()))


def _serve() -> None:
    """Answer the questions of `Child` until standard input ends. What the functions print goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while head := sys.stdin.buffer.read(8):
        answer = _answer(sys.stdin.buffer.read(int.from_bytes(head, "little")))
        answers.write(len(answer).to_bytes(8, "little") + answer)
        answers.flush()


if __name__ == "__main__":
    _serve()
