"""The weights of a difference in the order in which a reviewer asks for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from bundler.report.difference import Kind, WeightChange

__all__ = ["Split", "split"]


class Split(NamedTuple):
    """Weights by what happened to them. Of those that changed, the first ones changed most."""

    changed: tuple[WeightChange, ...]
    added: tuple[WeightChange, ...]
    removed: tuple[WeightChange, ...]


def split(weights: Sequence[WeightChange]) -> Split:
    """The weights of a difference. A weight with another dtype or shape counts as one that changed by any amount."""

    def of(kind: Kind) -> tuple[WeightChange, ...]:
        return tuple(each for each in weights if each.kind == kind)

    return Split(tuple(sorted(of("changed"), key=_by_change)), of("added"), of("removed"))


def _by_change(weight: WeightChange) -> tuple[float, str]:
    return -(math.inf if weight.relative is None else weight.relative), weight.name
