"""The child process: questions in, answers out."""

from __future__ import annotations

import os
import pickle
import sys
from importlib import import_module
from typing import Any

__all__ = ["Unable", "serve"]


class Unable(Exception):
    """The converter or the runtime refuses; the text says why."""


def serve(form: str) -> None:
    """Answer with the functions of the module `form` until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # converters print to standard output too
    while len(head := sys.stdin.buffer.read(8)) == 8:
        answer = pickle.dumps(_answer(form, sys.stdin.buffer.read(int.from_bytes(head, "little"))))
        answers.write(len(answer).to_bytes(8, "little") + answer)
        answers.flush()


def _answer(form: str, question: bytes) -> tuple[str | None, Any]:
    verb, args = pickle.loads(question)
    try:
        return None, getattr(import_module(f"bundler.runtimes.exporters.{form}"), verb)(*args)
    except Unable as refusal:
        return str(refusal), None
    except Exception as error:  # of a program that is not ours: any of its errors is a refusal
        return " ".join(f"{type(error).__name__}: {error}".split())[:500], None
