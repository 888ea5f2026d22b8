"""The steps of a composed signature, one by one.

The bundle runs once, and shows what each step gives. The reference computes each step from what the bundle's step took.
So the errors of steps do not add up, and each is held against a tolerance of its own: a wrong step shows, although the
models after it may amplify the last bit of a pixel to far more than what a wrong step costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np

from bundler.bundle import Endpoint
from bundler.comparison.distance import distance
from bundler.comparison.judge import DEFAULT_RTOL, judged
from bundler.comparison.references import Answer
from bundler.comparison.references.chain import Seams
from bundler.comparison.seams.computed import Computed
from bundler.compose.names import INPUTS, Ref
from bundler.compose.plan import Act
from bundler.ir.model import Signature, TensorSpec
from bundler.ir.nodes import Tensor
from bundler.manifest.steps import CallStep
from bundler.report.verification import OutputVerdict
from bundler.runtimes.failures import Failure

__all__ = ["Walk", "walked"]

Arrays: TypeAlias = "Mapping[str, np.ndarray]"
Call: TypeAlias = "Callable[[Endpoint, Arrays], Arrays]"
"""Calls an endpoint of the bundle. Raises Failure."""


class Walk(NamedTuple):
    """What came of the steps, and the outputs of the run that showed them."""

    steps: tuple[OutputVerdict, ...]
    outputs: Arrays

    @property
    def wrong(self) -> OutputVerdict | None:
        """The first step that is wrong."""
        return next((step for step in self.steps if step.verdict == "wrong"), None)

    @property
    def open(self) -> OutputVerdict | None:
        """The first step that differs, or that nothing is known of, for a reason that is no mistake."""
        unchecked = (step for step in self.steps if step.verdict == "unchecked")
        return next((step for step in unchecked if step.error is None or step.error > DEFAULT_RTOL), None)


def walked(seams: Seams, endpoint: Endpoint, feeds: Arrays, call: Call, rtol: float | None) -> Walk:
    """Compare the steps of a composed signature for these inputs. `rtol` is that of calls, None for the default."""
    try:
        values, outputs = _values(seams, endpoint, feeds, call)
    except Failure as failure:
        return Walk((OutputVerdict("steps", "wrong", failure.fault.what),), {})
    walk = _Walk(seams, values, call, rtol)
    verdicts = [verdict for number, _ in enumerate(seams.plan.acts) for verdict in walk.act(number)]
    ends = {name: values[ref] for name, ref in seams.plan.outputs.items()}
    return Walk((*verdicts, *_ends(outputs, ends)), outputs)


def _values(seams: Seams, endpoint: Endpoint, feeds: Arrays, call: Call) -> tuple[Mapping[Ref, np.ndarray], Arrays]:
    """What each step gives, and the outputs, in one run of the bundle."""
    inner = {f"{ref.step}:{ref.at}": TensorSpec(Tensor.parse(tensor)) for ref, tensor in seams.tensors.items()}
    signature = endpoint.signature
    found = call(replace(endpoint, signature=Signature(signature.inputs, {**signature.outputs, **inner})), feeds)
    given = {Ref(INPUTS, at): feeds[name] for at, name in enumerate(seams.inputs)}
    values = given | {ref: found[f"{ref.step}:{ref.at}"] for ref in seams.tensors}
    return values, {name: found[name] for name in signature.outputs}


def _ends(outputs: Arrays, ends: Arrays) -> Iterator[OutputVerdict]:
    """Outputs that are not what their step gives."""
    for name, value in outputs.items():
        if distance(value, ends[name]).absolute:
            yield OutputVerdict(f"output {name}", "wrong", "is not what the step of its name gives")


class _Walk:
    """The steps, with what the bundle's gave."""

    def __init__(self, seams: Seams, values: Mapping[Ref, np.ndarray], call: Call, rtol: float | None) -> None:
        self._seams = seams
        self._values = values
        self._call = call
        self._rtol = rtol

    def act(self, number: int) -> Iterator[OutputVerdict]:
        """The verdict on each tensor of a step."""
        act = self._seams.plan.acts[number]
        given = [self._values[ref] for ref in act.reads]
        found = [self._values[Ref(number, at)] for at, _ in enumerate(act.gives)]
        label = f"step {number + 1}, {act.step.label}"
        try:
            if isinstance(act.step, CallStep):
                feeds, outputs = dict(zip(act.inputs, given)), dict(zip(act.outputs, found))
                yield from self._called(act.step.call, label, feeds, outputs)
            else:
                yield from self._computed(act, label, given, found)
        except Failure as failure:
            yield OutputVerdict(label, "unchecked", f"does not run alone: {failure.fault.what}")

    def _called(self, key: str, label: str, feeds: Arrays, found: Arrays) -> Iterator[OutputVerdict]:
        endpoint, answer = self._seams.endpoints[key], self._seams.answer(key, feeds)
        alone = partial(self._call, endpoint)
        if answer.seams is not None:  # composed itself: as the bundle has it alone, whose steps come next
            inside = walked(answer.seams, endpoint, feeds, self._call, self._rtol)
            yield from (replace(verdict, name=f"{label}: {verdict.name}") for verdict in inside.steps)
            answer = Answer(alone(feeds), "the bundle")
        for verdict in judged(found, answer, self._rtol, alone, feeds):
            yield replace(verdict, name=f"{label}: {verdict.name}")

    def _computed(
        self, act: Act, label: str, given: Sequence[np.ndarray], found: Sequence[np.ndarray]
    ) -> Iterator[OutputVerdict]:
        computed = Computed(act, given, None if act.like is None else self._values[act.like], self._seams.op)
        for at, (name, value) in enumerate(zip(act.gives, found)):
            verdict = computed.verdict(at, value)
            yield replace(verdict, name=": ".join(filter(None, (label, name or verdict.name))))
