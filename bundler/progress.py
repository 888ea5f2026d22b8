"""How far a long step is. A `Progress` is passed down as an argument; by default it is `SILENT`."""

from __future__ import annotations

from typing import Protocol

__all__ = ["SILENT", "Progress"]


class Progress(Protocol):
    """Receives steps and notes from the code that works.

    Several threads may share one. A `start` and the calls after it, up to `finish`, come from the same thread.
    """

    def start(self, what: str, total: int | None = None) -> None:
        """A step begins: `what` it is, and its size (bytes for a fetch), None if unknown."""

    def advance(self, amount: int = 1) -> None:
        """The step has progressed by `amount`."""

    def finish(self) -> None:
        """The step has ended, with or without success."""

    def note(self, text: str) -> None:
        """Information for the user that is not an error."""


class _Silent:
    def start(self, what: str, total: int | None = None) -> None:
        pass

    def advance(self, amount: int = 1) -> None:
        pass

    def finish(self) -> None:
        pass

    def note(self, text: str) -> None:
        pass


SILENT: Progress = _Silent()
