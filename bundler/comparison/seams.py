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
from bundler.comparison.judge import judged, verdict_on
from bundler.comparison.references import Answer
from bundler.comparison.references.chain import Seams
from bundler.compose.evaluate import Means, Op, results
from bundler.compose.names import INPUTS, Ref
from bundler.compose.plan import Act
from bundler.ir.model import Signature, TensorSpec
from bundler.ir.nodes import Tensor
from bundler.manifest.steps import CallStep, OpStep
from bundler.manifest.steps.image import Transform
from bundler.report.verification import OutputVerdict
from bundler.runtimes.failures import Failure

__all__ = ["Walk", "walked"]

Arrays: TypeAlias = "Mapping[str, np.ndarray]"
Call: TypeAlias = "Callable[[Endpoint, Arrays], Arrays]"
"""Calls an endpoint of the bundle. Raises Failure."""

_OF_OPS = 1e-5
"""The error that is right in an op: additions in another order. Calls have that of any signature."""
_PER_PIXEL = 2.0**-22
"""The same for each pixel of a side of an image that is sampled. TensorFlow computes places with float32, of whose
numbers two neighbours are 2**-23 of the side apart; TensorFlow.js' plain backend with doubles."""
_ON_AN_EDGE = "pixels on an edge: the last bits of their places decide"
_OF_PLACES = 2.0**-21
"""The error of a place, as a part of the side: of what is computed from a box, or by a transform."""
_SAMPLING = {"resize_bilinear", "letterbox", "crop_and_resize", "transform"}


class Walk(NamedTuple):
    """What came of the steps, and the outputs of the run that showed them."""

    steps: tuple[OutputVerdict, ...]
    outputs: Arrays

    @property
    def wrong(self) -> OutputVerdict | None:
        """The first step that is wrong."""
        return next((step for step in self.steps if step.verdict == "wrong"), None)


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
            yield OutputVerdict(label, "unchecked", f"the reference does not run it: {failure.fault.what}")

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
        op = _Op(self._seams.op, act, None if act.like is None else self._values[act.like])
        right = op.results(given)
        for at, (name, value) in enumerate(zip(act.gives, found)):
            full = ": ".join(filter(None, (label, name or (str(at) if at else ""))))
            verdict = op.verdict(full, value, right[at])
            if verdict.verdict == "wrong" and op.samples:
                near = op.verdict(full, op.near(given, value, right[at]), right[at])
                verdict = replace(verdict, verdict="ok", why=_ON_AN_EDGE) if near.verdict != "wrong" else verdict
            yield verdict


class _Op:
    """An op of the reference, or a map of ops, and how far it is right. It notes the sides of sampled images."""

    def __init__(self, reference: Op, act: Act, like: np.ndarray | None) -> None:
        self._reference = reference
        self._act = act
        self._like = like
        self._side = 0

    def results(self, given: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """What it gives for the values that it reads."""
        return results(self._act, given, self._like, Means(self._op, _no_call))

    def verdict(self, name: str, found: np.ndarray, right: np.ndarray) -> OutputVerdict:
        """The verdict on one of its results."""
        rtol = max(_OF_OPS, _PER_PIXEL * self._side) if found.dtype.kind in "fc" else 0.0
        return verdict_on(name, found, Answer({name: right}, "", narrow=True), rtol)

    @property
    def samples(self) -> bool:
        """Whether it takes pixels from places that it is given: at a border, the last bit of a place decides."""
        return getattr(self._act.step, "op", "") in ("crop_and_resize", "transform")

    def near(self, given: Sequence[np.ndarray], found: np.ndarray, right: np.ndarray) -> np.ndarray:
        """What was found; but the right value wherever that moves as far if the places move by their error."""
        for part in (-_OF_PLACES, _OF_PLACES):
            act, places = _moved(self._act, given, part)
            (moved,) = results(act, places, self._like, Means(self._op, _no_call))
            found = _nearer(found, right, moved)
        return found

    def _op(self, step: OpStep, values: Sequence[np.ndarray], like: np.ndarray | None) -> Sequence[np.ndarray]:
        if step.op in _SAMPLING:
            self._side = max(self._side, *values[0].shape[1:3])
        return self._reference(step, values, like)


def _no_call(key: str, _: Arrays) -> Arrays:
    raise AssertionError(f"a map calls no signature: {key}")


def _moved(act: Act, given: Sequence[np.ndarray], part: float) -> tuple[Act, list[np.ndarray]]:
    """An op that samples images, with places that are moved by a part of a side."""
    images, *more = given
    if isinstance(act.step, Transform):
        matrices = more[0] if more else np.array([act.step.matrix], np.float32)
        far = part * max(images.shape[1:3])
        fed = replace(act, step=act.step.model_copy(update={"matrix": None}))
        return fed, [images, matrices + np.array([0, 0, far, 0, 0, far, 0, 0], np.float32)]
    return act, [images, more[0] + np.float32(part), *more[1:]]


def _nearer(found: np.ndarray, right: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """`right` in place of what is no farther from it than twice `moved`."""
    if not found.shape == right.shape == moved.shape:
        return found
    return np.where(np.abs(found - right) <= 2 * np.abs(moved - right), right, found)
