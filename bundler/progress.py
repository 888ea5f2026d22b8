"""How far a long run is. A `Progress` is passed down as an argument; by default it is `SILENT`.

with step(progress, "convert", count=len(models)):
for model in models:
…
progress.advance()
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["SILENT", "Progress", "step"]


class Progress(Protocol):
    """Receives steps and notes from the code that works.

    Several threads may share one. A `start` and the calls after it, up to `finish`, come from the same thread. Steps
    may be inside each other: those of other threads are parts of the step that began first.
    """

    def start(self, what: str, size: int | None = None, *, count: int | None = None) -> None:
        """A step begins: a word for `what` it does, and its `size` in bytes or its `count` of parts, if known."""

    def advance(self, amount: int = 1) -> None:
        """The step has progressed by `amount` bytes or parts."""

    def finish(self) -> None:
        """The step has ended, with or without success."""

    def note(self, text: str) -> None:
        """Information for the user that is not an error."""


@contextmanager
def step(progress: Progress, what: str, size: int | None = None, *, count: int | None = None) -> Iterator[None]:
    """A step that lasts as long as the block."""
    progress.start(what, size, count=count)
    try:
        yield
    finally:
        progress.finish()


class _Silent:
    def start(self, what: str, size: int | None = None, *, count: int | None = None) -> None:
        pass

    def advance(self, amount: int = 1) -> None:
        pass

    def finish(self) -> None:
        pass

    def note(self, text: str) -> None:
        pass


SILENT: Progress = _Silent()
