"""What came of a case: does what bundler makes of it agree with TensorFlow, and does TensorFlow.js?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bundler.ir.model import Model
from tests.conformance.case import AGREES, Cannot, Case, Differs
from tests.conformance.compare import contrast, farthest
from tests.conformance.run import Result, Run

__all__ = ["Outcome", "judge"]


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    `imported` are the ops that bundler writes for the op; `error` is the largest distance from what must agree, None
    if the results are no fractions; `faults` is what the suite must not find; `note` says where bundler or
    TensorFlow.js goes its own way, and `example` what TensorFlow.js and TensorFlow then give.
    """

    case: Case
    imported: tuple[str, ...] = ()
    error: float | None = None
    faults: tuple[str, ...] = ()
    note: str = ""
    example: str = ""


class Measured(NamedTuple):
    """How far a run is from what is right, and what is wrong with it."""

    error: float
    fault: str = ""


def judge(case: Case, run: Run) -> Outcome:
    """The outcome of a case that was run."""
    if isinstance(run.model, str):
        as_said = bool(case.refused) and case.refused in run.model
        return Outcome(case, faults=() if as_said else (run.model,), note=case.refused)
    if case.refused:
        return Outcome(case, faults=("bundler takes it",))
    imported = tuple(dict.fromkeys(_ops_made(case, run.model)))
    if isinstance(run.right, str):
        return Outcome(case, imported, faults=(f"the case itself: {run.right}",))
    ways = zip(("with oneDNN", "without oneDNN"), run.bundled)
    found = [_measured(case, name, result, run.right) for name, result in ways]
    found.append(_measured_javascript(case, run.javascript, run.right))
    whole = all(value.dtype.kind not in "fc" for value in run.right) or case.drawn is not None
    return Outcome(
        case,
        imported,
        error=None if whole else max(way.error for way in found),
        faults=tuple(way.fault for way in found if way.fault),
        note=_note(case),
        example=_example(case, run.javascript, run.right),
    )


def _ops_made(case: Case, model: Model) -> Iterator[str]:
    """The ops that stand for the op, without the sources and what else is in the case's graph."""
    others = {given.op for given in case.nodes} - {case.op}
    for made in model.graph.nodes:
        if made.op == case.op or made.op not in {"Const", "Placeholder", *others}:
            yield made.op


def _measured(case: Case, name: str, found: Result, right: Sequence[np.ndarray], *, narrow: bool = False) -> Measured:
    if isinstance(found, str):
        return Measured(math.inf, f"{name}: {found}")
    if case.drawn is not None:
        return Measured(0.0, _undrawn(case.drawn, name, found, right))
    error = farthest(found, right, narrow=narrow)
    if error <= case.tolerance:
        return Measured(error)
    given, wanted = contrast(found, right)
    return Measured(error, f"{name}: {given}, not {wanted} ({error:.1e} apart)")


def _undrawn(drawn: tuple[float, float], name: str, found: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> str:
    """What is wrong with random values: their shape, their dtype or their range."""
    low, high = drawn
    for a, b in zip(found, right):
        if a.shape != b.shape or a.dtype.kind != b.dtype.kind or not ((a >= low) & (a <= high)).all():
            return f"{name}: {a.dtype} {a.shape} from {a.min()} to {a.max()}"
    return ""


def _measured_javascript(case: Case, found: Result, right: Sequence[np.ndarray]) -> Measured:
    """How far TensorFlow.js is, if the case says that it agrees; else whether what the case says is true."""
    measured = _measured(case, "TensorFlow.js", found, right, narrow=True)
    if case.javascript == AGREES:
        return measured
    if isinstance(case.javascript, Cannot):
        return Measured(0.0, "" if isinstance(found, str) else "TensorFlow.js can")
    if isinstance(found, str):
        return Measured(0.0, measured.fault)
    return Measured(0.0, "" if measured.fault else "TensorFlow.js agrees")


def _note(case: Case) -> str:
    if isinstance(case.javascript, Cannot):
        return f"TensorFlow.js does not run it: {case.javascript.why}"
    return case.javascript.why if isinstance(case.javascript, Differs) else ""


def _example(case: Case, found: Result, right: Sequence[np.ndarray]) -> str:
    if not isinstance(case.javascript, Differs) or isinstance(found, str):
        return ""
    theirs, ours = contrast(found, right)
    return f"{theirs} in TensorFlow.js, {ours} in TensorFlow"
