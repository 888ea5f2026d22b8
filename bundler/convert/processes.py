"""Who converts the models of one machine: this process, or several beside it.

Measured with the 41 models of the bench (6.5 MB of JSON, 0.8 s of conversions) on two cores, joblib 1.6:

| way                             | CPU time beyond the conversions | if a worker is killed          |
|---------------------------------|---------------------------------|--------------------------------|
| `ProcessPoolExecutor`, forked   | 0.1 s                           | raises BrokenProcessPool       |
| joblib, backend multiprocessing | 0.3 s                           | waits without an end           |
| joblib, backend loky            | 1.6 s: workers import all anew  | raises TerminatedWorkerError   |
| joblib, backend threading       | 0.2 s, and Python runs one      | -                              |

So forked workers convert if the platform forks by default. Elsewhere (macOS; Linux from Python 3.14 on) joblib's `loky`
does: unlike spawned workers of `ProcessPoolExecutor`, its workers do not run the caller's main module again. The result
is the same.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

from bundler.errors import BundlerError

__all__ = ["each"]

_Task = TypeVar("_Task")
_Outcome = TypeVar("_Outcome")

_FORKS_PAY = 2_000_000
"""Bytes of JSON that one process converts as quickly as two that are forked: measured on two cores."""
_LOKY_PAYS = 15_000_000
"""The same for two that start anew."""
_WATCH = 0.2
"""Seconds between two looks of a worker at its parent."""


def each(
    work: Callable[[_Task], _Outcome],
    tasks: Sequence[_Task],
    sizes: Sequence[int],
    jobs: int,
    done: Callable[[], object] = lambda: None,
) -> list[_Outcome]:
    """`work` of every task, in the order of the tasks, by up to `jobs` processes. `sizes` are the tasks' bytes of JSON.

    `done` is called after each task. Raises what `work` raises, and BundlerError if a process that does it is killed.
    """
    forks = _start_method() == "fork"
    workers = min(jobs, len(tasks))
    if workers <= 1 or sum(sizes) < (_FORKS_PAY if forks else _LOKY_PAYS):
        return [_then(done, work(task)) for task in tasks]
    largest_first = sorted(range(len(tasks)), key=lambda index: -sizes[index])
    share_out = _share_out_to_forks if forks else _share_out_by_joblib
    try:
        made = share_out(work, [tasks[index] for index in largest_first], workers, done)
    except BrokenExecutor:
        hint = "is there memory enough? with -j 1 it takes the least"
        raise BundlerError("a process that converted models was killed", hint=hint) from None
    outcomes = dict(zip(largest_first, made))
    return [outcomes[index] for index in range(len(tasks))]


def _then(done: Callable[[], object], outcome: _Outcome) -> _Outcome:
    done()
    return outcome


def _start_method() -> str:
    """How this program starts processes. To ask for a method that is not yet fixed would fix the default."""
    return multiprocessing.get_start_method(allow_none=True) or multiprocessing.get_all_start_methods()[0]


def _share_out_by_joblib(
    work: Callable[[_Task], _Outcome], tasks: Sequence[_Task], workers: int, done: Callable[[], object]
) -> Sequence[_Outcome]:
    from joblib import Parallel, delayed

    settings = {"backend": "loky", "batch_size": 1, "return_as": "generator"}
    loky = Parallel(workers, **settings, initializer=_end_with, initargs=(os.getpid(),))
    return [_then(done, outcome) for outcome in loky(delayed(work)(task) for task in tasks)]


def _share_out_to_forks(
    work: Callable[[_Task], _Outcome], tasks: Sequence[_Task], workers: int, done: Callable[[], object]
) -> Sequence[_Outcome]:
    with _forks(workers) as pool:
        futures = [pool.submit(work, task) for task in tasks]
        for future in as_completed(futures):
            _then(done, future.result())  # which raises what `work` raised
        return [future.result() for future in futures]


@contextmanager
def _forks(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of forked processes, which have every module loaded. If the block raises, they end at once."""
    others = set(multiprocessing.active_children())
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, fork, initializer=_end_with, initargs=(os.getpid(),)) as pool:
        try:
            yield pool
        except BaseException:
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            pool.shutdown(cancel_futures=True)
            raise


def _end_with(parent: int) -> None:
    """Have this process end soon after its parent. A parent that is killed cannot ask it to."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
