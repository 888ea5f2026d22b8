"""The verdict on each output of a call."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from bundler.comparison.distance import blank, distance
from bundler.comparison.doubts import doubts
from bundler.comparison.references import Answer
from bundler.report.verification import OutputVerdict

__all__ = ["DEFAULT_RTOL", "judged", "tolerance", "verdict_on"]

DEFAULT_RTOL = 1e-4
"""The largest error that is right, as a part of the output's largest absolute value."""


def judged(
    found: Mapping[str, np.ndarray],
    answer: Answer,
    rtol: float | None,
    call: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]],
    feeds: Mapping[str, np.ndarray],
) -> list[OutputVerdict]:
    """The outputs of a bundle for `feeds`, compared with a reference's. `call` runs the bundle again."""
    verdicts = {name: verdict_on(name, value, answer, rtol) for name, value in found.items()}
    wrong = {name: _error(verdict) for name, verdict in verdicts.items() if verdict.verdict == "wrong"}
    reasons = dict.fromkeys(wrong, answer.departs) if answer.departs else doubts(call, feeds, found, wrong)
    return [
        replace(verdict, verdict="unchecked", why=reasons[name]) if name in reasons else verdict
        for name, verdict in verdicts.items()
    ]


def _error(verdict: OutputVerdict) -> float:
    return math.inf if verdict.error is None else verdict.error


def verdict_on(name: str, found: np.ndarray, answer: Answer, rtol: float | None) -> OutputVerdict:
    """One output, compared with a reference's, without a doubt."""
    if name in answer.open:
        return OutputVerdict(name, "unchecked", answer.open[name])
    expected = answer.outputs[name]
    far = distance(found, expected, narrow=answer.narrow)
    if far.why:
        return OutputVerdict(name, "wrong", far.why)
    measured = OutputVerdict(name, "ok", "", far.absolute, far.relative, far.at, far.found, far.expected)
    if far.relative > tolerance(found, rtol):
        return replace(measured, verdict="wrong")
    says_nothing = blank(found)
    return replace(measured, verdict="unchecked", why=f"{says_nothing} on both sides") if says_nothing else measured


def tolerance(found: np.ndarray, rtol: float | None) -> float:
    """The error that is right: `rtol`, or the default, by which only fractions may differ."""
    if rtol is not None:
        return rtol
    return DEFAULT_RTOL if found.dtype.kind in "fc" else 0.0
