"""Names that no node of a graph has yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

__all__ = ["FreshNames"]


class FreshNames:
    """Gives a name as it is, or with the next free number: `n`, `n_1`, `n_2`, …; none is given twice."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._tried = Counter[str]()  # a name that is asked for often does not count from one again

    def __call__(self, name: str) -> str:
        fresh = name
        while fresh in self._taken:
            self._tried[name] += 1
            fresh = f"{name}_{self._tried[name]}"
        self._taken.add(fresh)
        return fresh
