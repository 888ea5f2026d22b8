"""Functions called in another Python process, which keeps TensorFlow loaded and may die of what it is asked.

All tests share one process for each environment: importing TensorFlow takes seconds of a processor.
"""

from __future__ import annotations

import pickle
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeVar

from bundler.runtimes.child import Child, serve
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


if __name__ == "__main__":
    serve(_answer)
