"""Who does the work: this process, or several beside it.

The plan follows the size of the work. Starting workers costs a quarter of a second: small bundles do not pay for
them, large ones use every core. What comes out is the same.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["each"]

_Task = TypeVar("_Task")
_Outcome = TypeVar("_Outcome")

_SMALL = 2_000_000
"""Bytes of JSON that one process converts as quickly as two: measured on two cores."""


def each(work: Callable[[_Task], _Outcome], tasks: Sequence[_Task], sizes: Sequence[int], jobs: int) -> list[_Outcome]:
    """`work` done on every task, in their order. `sizes` are the bytes of JSON behind each."""
    workers = min(jobs, len(tasks))
    if workers <= 1 or sum(sizes) < _SMALL:
        return [work(task) for task in tasks]
    from joblib import Parallel, delayed

    # A forked worker has every module loaded; elsewhere joblib's own processes take longer to start, and are safe.
    backend = "multiprocessing" if multiprocessing.get_start_method() == "fork" else "loky"
    largest_first = sorted(range(len(tasks)), key=lambda index: -sizes[index])
    # No large array travels, and the machinery for those (`max_nbytes`) takes a third of a second to start.
    done = Parallel(n_jobs=workers, backend=backend, batch_size=1, max_nbytes=None)(
        delayed(work)(tasks[index]) for index in largest_first
    )
    outcomes = dict(zip(largest_first, done))
    return [outcomes[index] for index in range(len(tasks))]
