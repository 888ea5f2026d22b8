"""Who does the work: this process, or several beside it.

The plan follows the size of the work. Starting workers costs a tenth of a second: small bundles do not pay for
them, large ones use every core. What comes out is the same.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from typing import Any, TypeVar

from bundler.errors import BundlerError

__all__ = ["each"]

_Task = TypeVar("_Task")
_Outcome = TypeVar("_Outcome")

_SMALL = 2_000_000
"""Bytes of JSON that one process converts as quickly as two: measured on two cores."""

_WATCH = 0.2
"""Seconds between two looks at whether the parent is there."""


def each(work: Callable[[_Task], _Outcome], tasks: Sequence[_Task], sizes: Sequence[int], jobs: int) -> list[_Outcome]:
    """`work` done on every task, in their order. `sizes` are the bytes of JSON behind each.

    Raises BundlerError where a process that does it is killed.
    """
    workers = min(jobs, len(tasks))
    if workers <= 1 or sum(sizes) < _SMALL:
        return [work(task) for task in tasks]
    from joblib import Parallel, delayed

    # A forked worker has every module loaded; elsewhere joblib's own processes take longer to start, and are safe.
    backend = _forks() if multiprocessing.get_start_method() == "fork" else "loky"
    largest_first = sorted(range(len(tasks)), key=lambda index: -sizes[index])
    try:
        # What goes through `max_nbytes` are arrays, of which none travels here.
        done = Parallel(n_jobs=workers, backend=backend, batch_size=1, max_nbytes=None)(
            delayed(work)(tasks[index]) for index in largest_first
        )
    except BrokenExecutor:
        hint = "is there memory enough? with -j 1 it takes the least"
        raise BundlerError("a process that converted models was killed", hint=hint) from None
    outcomes = dict(zip(largest_first, done))
    return [outcomes[index] for index in range(len(tasks))]


def _forks() -> Any:
    """Forked workers for joblib. Its own take a further process to start, and wait for ever for one that was killed."""
    from joblib import ParallelBackendBase

    class Forks(ParallelBackendBase):  # type: ignore[misc]
        supports_retrieve_callback = True

        def effective_n_jobs(self, n_jobs: int) -> int:
            return n_jobs

        def configure(self, n_jobs: int = 1, parallel: Any = None, **_: Any) -> int:
            self.parallel = parallel
            self._others = set(multiprocessing.active_children())
            fork = multiprocessing.get_context("fork")
            self._pool = ProcessPoolExecutor(n_jobs, fork, initializer=_end_with, initargs=(os.getpid(),))
            return n_jobs

        def submit(self, batch: Callable[[], Any], callback: Callable[[Future[Any]], None]) -> Future[Any]:
            future = self._pool.submit(batch)
            future.add_done_callback(callback)
            return future

        def retrieve_result_callback(self, done: Future[Any]) -> Any:
            return done.result()

        def abort_everything(self, ensure_ready: bool = True) -> None:
            for worker in set(multiprocessing.active_children()) - self._others:
                worker.terminate()
            self.terminate()

        def terminate(self) -> None:
            self._pool.shutdown(cancel_futures=True)

    return Forks()


def _end_with(parent: int) -> None:
    """Have this process end when its parent has ended. A parent that is killed cannot ask it to."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
