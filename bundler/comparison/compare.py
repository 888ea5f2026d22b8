"""One signature after the other: called on each road, and compared with what the reference gives."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from bundler.bundle import Endpoint
from bundler.comparison import references
from bundler.comparison.cases import Case
from bundler.comparison.distance import blank, distance
from bundler.comparison.inputs import Feeds, drawn
from bundler.comparison.judge import judged, tolerance
from bundler.comparison.references import Answer, Incomparable, Reference
from bundler.errors import BundlerError
from bundler.ir.nodes import Shape
from bundler.report.entries import Entries
from bundler.report.verification import OutputVerdict, SignatureVerdict, Verdict
from bundler.runtimes.failures import Failure
from bundler.runtimes.tensorflow import Runtime

if TYPE_CHECKING:
    from bundler.comparison.seams import Walk

__all__ = ["Comparison", "Outcome", "Road"]

Arrays: TypeAlias = "Mapping[str, np.ndarray]"

_ADDED_UP = "the last bits of its steps add up: each is right"


@dataclass(frozen=True)
class Road:
    """A way to call a bundle: by a session, as TensorFlow Serving does, or `by_object`, with a runtime of Python."""

    name: str
    runtime: Runtime
    by_object: bool = False

    def call(self, endpoint: Endpoint, feeds: Arrays) -> dict[str, np.ndarray]:
        """The outputs by name. Raises Failure."""
        call = endpoint.call_function if self.by_object else endpoint.call
        return call(self.runtime, feeds, seconds=references.SECONDS)


class Outcome(NamedTuple):
    """A verdict, and the values behind it: `outputs` are the bundle's, empty if there are none."""

    verdict: SignatureVerdict
    case: Case
    values: Arrays
    outputs: Arrays

    def without_values(self) -> Outcome:
        """The verdict alone."""
        return self._replace(values={}, outputs={})


class _Called(NamedTuple):
    """Inputs, and what the bundle gave for them on a road, or why it gave nothing."""

    road: Road
    feeds: Feeds
    outputs: dict[str, np.ndarray]
    failure: Failure | None = None


class _Judged(NamedTuple):
    """A verdict before it has its signature."""

    verdict: Verdict
    why: str = ""
    outputs: tuple[OutputVerdict, ...] = ()
    reference: str = ""


@dataclass(frozen=True)
class Comparison:
    """Compares signatures with a reference, on one road or several."""

    roads: tuple[Road, ...]
    reference: Reference

    def outcomes(self, endpoint: Endpoint, model: str, case: Case) -> Iterator[Outcome]:
        """What came of a signature, which a model of this name computes, on each road. Inputs are drawn once."""
        first, *others = self.roads
        verdict = SignatureVerdict(endpoint.key, model, first.name, self.reference.title, "", "unchecked")
        started, known = time.perf_counter(), self._shapes(endpoint)
        try:
            called = _called(first, endpoint, case, known)
        except BundlerError as error:  # inputs that cannot be drawn, or do not fit
            yield Outcome(replace(verdict, why=str(error)), case, {}, {})
            return
        answer = self._answer(endpoint, called.feeds.values, case)
        walk = _walk(called, endpoint, answer, case)
        for road in (first, *others):
            found = called if road is first else _call(road, endpoint, called.feeds)
            judgement = _judgement(endpoint, found, answer, case, walk)
            yield Outcome(
                replace(
                    verdict,
                    road=road.name,
                    reference=judgement.reference or verdict.reference,
                    inputs=called.feeds.origin,
                    verdict=judgement.verdict,
                    why=judgement.why,
                    outputs=Entries(judgement.outputs),
                    steps=Entries(walk.steps if walk and road is first else ()),
                    seconds=time.perf_counter() - started,
                ),
                case,
                called.feeds.values,
                found.outputs,
            )
            started = time.perf_counter()

    def _shapes(self, endpoint: Endpoint) -> Mapping[str, Shape]:
        with suppress(Failure, Incomparable):
            return self.reference.shapes(endpoint)
        return {}

    def _answer(self, endpoint: Endpoint, feeds: Arrays, case: Case) -> Answer | Failure | Incomparable:
        try:
            return self.reference.answer(endpoint, feeds, case.outputs)
        except (Failure, Incomparable) as reason:
            return reason


def _called(road: Road, endpoint: Endpoint, case: Case, known: Mapping[str, Shape]) -> _Called:
    """The outputs of the bundle. Of inputs that are drawn, those are taken that it takes, and that show most.

    Raises BundlerError if inputs cannot be drawn.
    """
    if case.values:
        return _call(road, endpoint, Feeds(case.values, f"those of {case.file.name}" if case.file else case.origin))
    best, refused = None, None
    for feeds in drawn(endpoint.signature, known, case.drawn):
        if best is not None and best.feeds.shapes != feeds.shapes:
            break
        called = _call(road, endpoint, feeds)
        if called.failure is not None:
            refused = refused or called
        elif best is None or _blanks(called) < _blanks(best):
            best = called
        if best is not None and not _blanks(best):
            break
    found = best or refused
    if found is None:
        raise BundlerError("its inputs are too large to draw", hint="give them in a check")
    return found


def _call(road: Road, endpoint: Endpoint, feeds: Feeds) -> _Called:
    try:
        return _Called(road, feeds, road.call(endpoint, feeds.values))
    except Failure as failure:
        return _Called(road, feeds, {}, failure)


def _blanks(called: _Called) -> int:
    """How many outputs show nothing."""
    return sum(bool(blank(value)) for value in called.outputs.values())


def _walk(called: _Called, endpoint: Endpoint, answer: Answer | Failure | Incomparable, case: Case) -> Walk | None:
    """What came of the steps of a composed signature; None for any other, and if there is nothing to compare."""
    if called.failure is not None or not isinstance(answer, Answer) or answer.seams is None:
        return None
    from bundler.comparison.seams import walked  # late: few bundles have composed signatures

    return walked(answer.seams, endpoint, called.feeds.values, called.road.call, case.rtol)


def _judgement(
    endpoint: Endpoint, called: _Called, answer: Answer | Failure | Incomparable, case: Case, walk: Walk | None
) -> _Judged:
    if isinstance(answer, Incomparable):
        return _Judged("unchecked", str(answer))
    if called.failure is not None:
        said = called.failure.fault.what
        if isinstance(answer, Failure):
            return _Judged("unchecked", f"needs a check: neither takes these inputs ({said})")
        return _Judged("wrong", said, reference=answer.reference)
    if isinstance(answer, Failure):
        return _Judged("unchecked", f"the reference does not run it: {answer.fault.what}")
    outputs = judged(called.outputs, answer, case.rtol, partial(called.road.call, endpoint), called.feeds.values)
    if walk is not None and walk.wrong is not None:
        return _Judged("wrong", f"{walk.wrong.name} is wrong", tuple(outputs), answer.reference)
    if walk is not None and case.rtol is None:
        outputs = [_added_up(output, called.outputs, walk) for output in outputs]
    verdicts = {output.verdict for output in outputs}
    total: Verdict = "wrong" if "wrong" in verdicts else "ok" if "ok" in verdicts else "unchecked"
    why = "; ".join(dict.fromkeys(output.why for output in outputs)) if total == "unchecked" else ""
    return _Judged(total, why, tuple(outputs), answer.reference)


def _added_up(output: OutputVerdict, found: Arrays, walk: Walk) -> OutputVerdict:
    """The verdict on an output whose steps are not wrong, one by one.

    It must be that of the run that showed them: TensorFlow optimizes a graph otherwise if all its steps are asked for.
    """
    if output.error is None or output.verdict != "wrong":
        return output
    value = found[output.name]
    far = distance(value, walk.outputs[output.name])
    if far.relative > tolerance(value, None):
        return output
    if walk.open is not None:
        return replace(output, verdict="unchecked", why=f"{walk.open.name}: {walk.open.why}")
    return replace(output, verdict="ok", why=_ADDED_UP)
