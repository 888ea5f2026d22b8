"""Threads whose work can be abandoned.

An interrupt must end a run at once, whatever its threads wait for: a silent server, a disk, a program. The interrupted
thread does not wait for them. It cleans up in their place: it removes their folders and ends their programs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

__all__ = ["Crew", "undone_by"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_here = threading.local()


class Crew(Executor):
    """An executor of up to `jobs` daemon threads. An exception that leaves its block abandons their work."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._threads: list[threading.Thread] = []
        self._asked = SimpleQueue[Callable[[], None] | None]()
        self._lock = threading.Lock()
        self._undos: list[Callable[[], object]] = []
        self._given_up = False

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: TracebackType | None) -> None:
        if kind is None:
            self.shutdown()
        else:
            self._give_up()

    def submit(
        self, fn: Callable[_Arguments, _Result], /, *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> Future[_Result]:
        """Have a thread call `fn`; the future holds its result or exception."""
        future = Future[_Result]()
        self._asked.put(lambda: self._do(future, lambda: fn(*args, **kwargs)))
        if len(self._threads) < self._jobs:
            self._threads.append(threading.Thread(target=self._work, daemon=True))
            self._threads[-1].start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Have the threads end after the submitted calls, and wait for them unless `wait` is false."""
        for _ in self._threads:
            self._asked.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    @contextmanager
    def undone_by(self, undo: Callable[[], object]) -> Iterator[None]:
        """Have `undo` called if the crew's work is abandoned in this block."""
        with self._lock:
            if self._given_up:
                raise _GivenUp
            self._undos.append(undo)
        try:
            yield
        finally:
            with self._lock:
                self._undos.remove(undo)

    def _work(self) -> None:
        _here.crew = self
        while (task := self._asked.get()) is not None:
            task()

    def _do(self, future: Future[Any], call: Callable[[], Any]) -> None:
        if self._given_up or not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    def _give_up(self) -> None:
        with self._lock:
            self._given_up = True
            undos = self._undos[::-1]
        self.shutdown(wait=False)
        for undo in undos:
            with suppress(Exception):
                undo()


class _GivenUp(BaseException):
    """The work of this thread was abandoned."""


@contextmanager
def undone_by(undo: Callable[[], object]) -> Iterator[None]:
    """Have `undo` called if the work of this thread is abandoned in the block, whose own cleanup may run too."""
    crew: Crew | None = getattr(_here, "crew", None)
    if crew is None:
        yield
    else:
        with crew.undone_by(undo):
            yield
