"""The errors of a verification, on a logarithmic axis from 1e-9 to 1."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from bundler.report.verification import OutputVerdict, SignatureVerdict

__all__ = ["Mark", "Tick", "marked", "spelled", "ticks"]

_LEAST, _MOST = -9, 0
"""Powers of ten at the ends of the axis."""
_FIRST, _LAST = 4.0, 97.0
"""Percents of the width where the axis begins and ends; before it is the place of outputs that are equal."""


class Mark(NamedTuple):
    """An output on the axis: its place in percent of the width, and the error in words."""

    output: OutputVerdict
    at: float
    error: str


class Tick(NamedTuple):
    """A mark of the axis itself. One in ten thousand is the largest error that is right by default."""

    label: str
    at: float
    is_limit: bool


def marked(signature: SignatureVerdict) -> Iterator[Mark]:
    """The outputs that have an error."""
    for output in signature.outputs:
        if output.error is not None:
            yield Mark(output, _place(output.error), spelled(output.error))


def ticks() -> list[Tick]:
    """The marks of the axis."""
    powers = [(f"1e{power}", 10.0**power, power == -4) for power in (-8, -6, -4, -2)]
    return [Tick(label, _place(error), is_limit) for label, error, is_limit in powers]


def spelled(error: float | None) -> str:
    """An error as a person reads it."""
    return "–" if error is None else "equal" if error == 0 else f"{error:.1e}"


def _place(error: float) -> float:
    if error == 0:
        return 1.5
    power = _MOST if not math.isfinite(error) else min(max(math.log10(abs(error)), _LEAST), _MOST)
    return round(_FIRST + (_LAST - _FIRST) * (power - _LEAST) / (_MOST - _LEAST), 2)
