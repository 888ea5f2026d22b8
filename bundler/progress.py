"""What a long step says about how far it is: passed down, silent by default, never global."""

from __future__ import annotations

from typing import Protocol

__all__ = ["SILENT", "Progress"]


class Progress(Protocol):
    """Told by whoever works; shown, or not, by whoever asked for the work.

    Several threads may share one: a `start` and the calls after it, up to `finish`, come from the
    same thread.
    """

    def start(self, what: str, total: int | None = None) -> None:
        """A step begins: `what` it is, and its size (bytes for a fetch), None where unknown."""

    def advance(self, amount: int = 1) -> None:
        """`amount` more of the step is done."""

    def finish(self) -> None:
        """The step has ended, well or not."""

    def note(self, text: str) -> None:
        """Something that the user should know, and that is no error."""


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
