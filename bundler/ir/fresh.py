"""Names that no node of a graph has yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

__all__ = ["FreshNames"]


class FreshNames:
    """Gives names that are not taken, each once: `n`, `n_1`, `n_2`, …."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._tried = Counter[str]()  # so that the thousandth `n` is found at once

    def __call__(self, name: str) -> str:
        fresh = name
        while fresh in self._taken:
            self._tried[name] += 1
            fresh = f"{name}_{self._tried[name]}"
        self._taken.add(fresh)
        return fresh
