"""What was found, and what was hoped for: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Goal", "Row"]


class Goal(NamedTuple):
    """A figure that must not be larger than `limit`, or with `at_least` not smaller."""

    figure: str
    limit: float
    at_least: bool = False

    def met(self, figures: Mapping[str, float]) -> bool:
        found = figures[self.figure]
        return found >= self.limit if self.at_least else found <= self.limit


@dataclass(frozen=True)
class Row:
    """One case of a work. A row without figures has the reason in its note."""

    case: str
    figures: Mapping[str, float]
    goals: tuple[Goal, ...] = ()
    note: str = ""
