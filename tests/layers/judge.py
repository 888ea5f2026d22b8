"""What came of a case of one origin: does bundler give the library's names and numbers on every road?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tests.layers.case import Case, Differs, Lacks, Origin, Refused, Reloads, Verdict
from tests.layers.programs import Answer
from tests.layers.run import Result

__all__ = ["Outcome", "judge"]


@dataclass(frozen=True)
class Outcome:
    """`error` is the largest over all roads, None if the model is not run; `faults` is what the suite must not find."""

    case: Case
    origin: Origin
    error: float | None = None
    faults: tuple[str, ...] = ()


def judge(case: Case, origin: Origin, answer: Answer | str, refusal: str, found: Mapping[str, Result]) -> Outcome:
    """The outcome of a case: what the library answered, why bundler refused it, and what each road gave."""
    said = case.but.get(origin)
    if isinstance(said, Lacks):
        return Outcome(case, origin, faults=tuple(_unlike(said.words, _refusal(answer))))
    if isinstance(answer, str):
        return Outcome(case, origin, faults=(f"the case itself: {answer}",))
    if isinstance(said, Refused):
        return Outcome(case, origin, faults=tuple(_unlike(said.words, refusal)))
    if refusal:
        return Outcome(case, origin, faults=(refusal,))
    errors = {road: distance(result, answer.outputs) for road, result in found.items()}
    if isinstance(said, Differs):
        agree = [f"{road}: the numbers agree" for road, error in errors.items() if error <= case.tolerance]
        return Outcome(case, origin, faults=tuple(agree))
    faults = [*_reloading(said, answer.reloads), *_faults(found, errors, answer, case.tolerance)]
    return Outcome(case, origin, max(errors.values()), tuple(faults))


def _refusal(answer: Answer | str) -> str:
    return answer if isinstance(answer, str) else answer.reloads


def _reloading(said: Verdict | None, found: str) -> Iterator[str]:
    """Whether the library loads its own file as the case says."""
    if isinstance(said, Reloads):
        yield from _unlike(said.words, found)
    elif found:
        yield f"the library makes another model of its file: {found}"


def _unlike(words: str, found: str) -> Iterator[str]:
    if words not in found:
        yield f"refused with {found!r}, not with {words!r}" if found else f"not refused with {words!r}"


def _faults(
    found: Mapping[str, Result], errors: Mapping[str, float], answer: Answer, tolerance: float
) -> Iterator[str]:
    for road, result in found.items():
        if isinstance(result, str):
            yield f"{road}: {result}"
        elif not errors[road] <= tolerance:
            yield f"{road}: {errors[road]:.1e} apart: {contrast(result, answer.outputs)}"


def distance(found: Result, right: Mapping[str, np.ndarray]) -> float:
    """The largest difference, as a part of the output's largest value; infinite if names, shapes or dtypes differ."""
    if isinstance(found, str) or found.keys() != right.keys():
        return np.inf
    return max((_apart(found[name], value) for name, value in right.items()), default=0.0)


def _apart(found: np.ndarray, right: np.ndarray) -> float:
    if found.shape != right.shape or found.dtype != right.dtype:
        return np.inf
    a, b = found.astype(np.float64), right.astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    scale = max(float(np.abs(b[np.isfinite(b)]).max(initial=0)), float(np.finfo(np.float32).tiny))
    return float(np.nan_to_num(apart, nan=np.inf).max(initial=0)) / scale


def contrast(found: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]) -> str:
    """How two results differ, in few words."""
    if found.keys() != right.keys():
        return f"outputs {sorted(found)}, not {sorted(right)}"
    for name, value in right.items():
        a, b = found[name], value
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return f"{name} is {a.dtype} {list(a.shape)}, not {b.dtype} {list(b.shape)}"
        if _apart(a, b) > 0:
            at = np.unravel_index(np.argmax(np.abs(a.astype(np.float64) - b)), a.shape)
            return f"{name} is {a[at]:.7g}, not {b[at]:.7g}"
    return "nothing"
