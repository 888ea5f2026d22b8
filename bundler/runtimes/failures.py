"""What a program that works for us cannot do. The stage that asked says what that means for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bundler.errors import BundlerError, Fault

__all__ = ["Died", "Failure", "Refused", "meaning"]


class Failure(Exception):
    """A question without a result; `fault` says why."""

    def __init__(self, what: str, *, where: str = "", found: str = "") -> None:
        super().__init__(what)
        self.fault = Fault(what, where, found)

    def __str__(self) -> str:
        return str(self.fault)


class Died(Failure):
    """The program ended before it answered, by itself or because its time was over."""


class Refused(Failure):
    """The program answered that it cannot; the words are its own."""


@contextmanager
def meaning(error: type[BundlerError]) -> Iterator[None]:
    """Raise `error` in place of a Failure in the block, with the same fault."""
    try:
        yield
    except Failure as failure:
        raise error.of([failure.fault]) from failure
