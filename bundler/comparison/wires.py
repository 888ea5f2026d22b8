"""Does each step of a composed signature give in the whole what it gives alone?

The signature runs with its sample. Then each step runs alone, with what came out of the steps before it: a call as the
plain signature of the bundle, an op as a graph of its own. A step that gives other values in the whole is wired wrongly
there. A model that is wrong gives the same values in both: `verify` finds it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from bundler.bundle import Bundle
from bundler.bundle.samples import sampled
from bundler.comparison.distance import Distance, distance
from bundler.comparison.doubts import doubts
from bundler.comparison.references import SECONDS
from bundler.compose import Composed
from bundler.compose.alone import alone
from bundler.compose.names import Ref
from bundler.compose.plan import Act
from bundler.errors import Fault, Key, Place, VerificationError
from bundler.manifest import Manifest
from bundler.manifest.steps import CallStep, ComposedSpec
from bundler.report import Check
from bundler.report.verification import spelled
from bundler.runtimes.failures import Failure
from bundler.runtimes.tensorflow import Runtime

__all__ = ["wires"]

Arrays: TypeAlias = "Mapping[str, np.ndarray]"
Values: TypeAlias = "Mapping[Ref, np.ndarray]"

_TOLERANCE = 1e-4
"""As a part of the largest value. Mostly values are equal, or an ulp apart. TensorFlow may fuse the ops of a model in
another way if its input is computed: a mask of 30 convolutions was 5e-6 off."""
_HINT = "the graph is not what the steps say: please report it; --no-check leaves this out"


def wires(folder: Path, manifest: Manifest, composed: Mapping[str, Composed], runtime: Runtime) -> Check:
    """Run each composed signature of a written bundle that has a sample, and its steps one by one.

    Raises ManifestError if a sample does not fit its signature, VerificationError if TensorFlow refuses it, or if steps
    give other values alone.
    """
    started, bundle = time.perf_counter(), Bundle.open(folder)
    specs = [spec for spec in manifest.composed if spec.sample]
    tried = [_Tried(bundle, manifest, spec, composed[spec.key], runtime) for spec in specs]
    faults = [fault for each in tried for fault in each.faults()]
    if faults:
        raise VerificationError.of(faults)
    steps = sum(len(spec.steps) for spec in specs)
    return Check("compose", f"{steps} steps of {len(specs)} signatures in {time.perf_counter() - started:.2f} s")


class _Tried(NamedTuple):
    """A composed signature of a bundle, to be run with its sample."""

    bundle: Bundle
    manifest: Manifest
    spec: ComposedSpec
    composed: Composed
    runtime: Runtime

    def faults(self) -> Iterator[Fault]:
        """The steps that give other values alone, and the outputs that are not what a step gave."""
        found = self._found()
        values = {ref: found[self.composed.spec(ref).tensor.full] for ref in self._refs()}
        for number, act in enumerate(self.composed.plan.acts):
            for at, far in self._wrong(number, act, values).items():
                yield self._fault(f"{_named(act, at)} is not what the step gives alone", far, "steps", number)
        outputs = self.composed.signature.outputs
        for at, (name, ref) in enumerate(self.composed.plan.outputs.items()):
            far = distance(found[outputs[name].tensor.full], values[ref])
            if far.relative:
                yield self._fault(f"{name!r} is not what its step gives", far, "outputs", at)

    def _found(self) -> Arrays:
        """The values of the sample, of the tensors that steps and outputs take, and of the outputs, by tensor."""
        endpoint = self.bundle.endpoint(self.spec.key)
        sample = sampled(self.manifest, self.spec, endpoint.signature, self.runtime)
        fed = {endpoint.signature.inputs[name].tensor.full: value for name, value in sample.items()}
        specs = [*map(self.composed.spec, self._refs()), *self.composed.signature.outputs.values()]
        fetches = [tensor for tensor in dict.fromkeys(spec.tensor.full for spec in specs) if tensor not in fed]
        try:
            endpoint.call(self.runtime, sample, seconds=SECONDS)  # as callers run it: what is not fetched is fused
            found = self.runtime.run(endpoint.folder, endpoint.tags, fed, fetches, SECONDS)
        except Failure as failure:
            what, said = "TensorFlow does not run the signature with its sample", failure.fault.what
            raise VerificationError(what, found=said, place=self._place("sample")) from failure
        return fed | dict(zip(fetches, found))

    def _refs(self) -> list[Ref]:
        """What steps and outputs take."""
        plan = self.composed.plan
        return [*dict.fromkeys([*(ref for act in plan.acts for ref in _reads(act)), *plan.outputs.values()])]

    def _wrong(self, number: int, act: Act, values: Values) -> Mapping[int, Distance]:
        """The results of a step that are others alone, by their places, and how far they are."""
        step = self._call(act, act.step.call) if isinstance(act.step, CallStep) else self._op(act)
        feeds = dict(zip(step.takes, (values[ref] for ref in _reads(act))))
        try:
            expected = step.run(feeds)
        except Failure as failure:
            what, said = f"{act.step.label}: TensorFlow does not run the step alone", failure.fault.what
            raise VerificationError(what, found=said, hint=_HINT, place=self._place("steps", number)) from failure
        pairs = {
            at: (values[Ref(number, at)], expected[name])
            for at, name in enumerate(step.gives)
            if Ref(number, at) in values
        }
        far = {at: distance(*pair) for at, pair in pairs.items() if not np.array_equal(*pair)}
        errors = {step.gives[at]: each.relative for at, each in far.items() if each.relative > _TOLERANCE}
        excused = doubts(step.run, feeds, expected, errors)
        return {at: each for at, each in far.items() if step.gives[at] in errors.keys() - excused.keys()}

    def _call(self, act: Act, key: str) -> _Alone:
        called = self.bundle.endpoint(key)
        return _Alone(act.inputs, act.outputs, partial(called.call, self.runtime, seconds=SECONDS))

    def _op(self, act: Act) -> _Alone:
        specs = [self.composed.spec(ref) for ref in _reads(act)]
        compat, names = self.manifest.bundle.compat, tuple(map(str, range(len(specs))))

        def run(feeds: Arrays) -> Arrays:
            results = alone(act, specs, [*feeds.values()], compat, self.runtime)
            return {str(at): value for at, value in enumerate(results)}

        return _Alone(names, tuple(str(at) for at, _ in enumerate(act.gives)), run)

    def _fault(self, what: str, far: Distance, *keys: Key) -> Fault:
        if far.at is None:
            return Fault(f"{what}: it {far.why}", hint=_HINT, place=self._place(*keys))
        found, expected = f"{spelled(far.found)} at {[*far.at]}", spelled(far.expected)
        return Fault(what, found=found, expected=expected, hint=_HINT, place=self._place(*keys))

    def _place(self, *keys: Key) -> Place:
        return self.manifest.place("signature", self.manifest.composed.index(self.spec), *keys)


class _Alone(NamedTuple):
    """A step that runs alone: the names of what it takes and gives, and what computes it."""

    takes: tuple[str, ...]
    gives: tuple[str, ...]
    run: Callable[[Arrays], Arrays]


def _reads(act: Act) -> list[Ref]:
    """What a step takes; the tensor that `like` names comes last."""
    return [*act.reads, *([] if act.like is None else [act.like])]


def _named(act: Act, at: int) -> str:
    """A result of a step in words."""
    return f"{act.step.label}: {act.gives[at]!r}" if act.gives[at] else f"{act.step.label}: result {at + 1}"
