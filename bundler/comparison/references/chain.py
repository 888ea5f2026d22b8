"""Composed signatures step by step: their models in TensorFlow.js, their steps by its functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bundler.bundle import Endpoint
from bundler.comparison.references import Answer, Incomparable
from bundler.comparison.references.browser import Browser
from bundler.comparison.subject import Subject
from bundler.compose.evaluate import Means, Op, evaluate
from bundler.compose.names import Ref
from bundler.compose.plan import Interface, Plan, plan
from bundler.disk.cache import Damaged
from bundler.errors import SourceError
from bundler.ir.nodes import Shape
from bundler.manifest.steps import CallStep, OpStep
from bundler.runtimes.javascript import TensorFlowJs

__all__ = ["Chain", "Seams"]


class Seams(NamedTuple):
    """The steps of a composed signature, each for itself.

    `inputs` are the signature's, in the manifest's order; `tensors` those of the bundle's graph that have what a step
    gives. `op` is the reference of ops, `answer` of a signature with this key for its inputs.
    """

    inputs: tuple[str, ...]
    plan: Plan
    tensors: Mapping[Ref, str]
    op: Op
    answer: Callable[[str, Mapping[str, np.ndarray]], Answer]
    endpoints: Mapping[str, Endpoint]


class _Call(NamedTuple):
    """A call of a signature, and what came of it."""

    feeds: Mapping[str, np.ndarray]
    answer: Answer

    def has(self, feeds: Mapping[str, np.ndarray]) -> bool:
        """Whether the inputs were these, to the last bit."""
        return all(np.array_equal(value, self.feeds[name]) for name, value in feeds.items())


class Chain:
    """Composed signatures as their manifest has them, and others as `Browser` does; see `references.Reference`.

    `decoder` finds the package that decodes images, when the first one comes; None is the one beside TensorFlow.js.
    """

    def __init__(
        self, browser: Browser, javascript: TensorFlowJs, subject: Subject, decoder: Callable[[], Path | None]
    ) -> None:
        self.title = browser.title
        self._find_decoder = decoder
        self._browser = browser
        self._javascript = javascript
        self._endpoints = {endpoint.key: endpoint for endpoint in subject.bundle.endpoints}
        self._composed = {signature.key: signature for signature in subject.report.signatures if signature.steps}
        self._specs = {spec.key: spec for spec in (subject.manifest.composed if subject.manifest else ())}
        self._last: dict[str, _Call] = {}

    def shapes(self, endpoint: Endpoint) -> Mapping[str, Shape]:
        return {} if endpoint.key in self._composed else self._browser.shapes(endpoint)

    def answer(
        self, endpoint: Endpoint, feeds: Mapping[str, np.ndarray], golden: Mapping[str, np.ndarray] | None
    ) -> Answer:
        if endpoint.key not in self._composed:
            return self._browser.answer(endpoint, feeds, golden)
        if endpoint.key not in self._specs:
            raise Incomparable("the bundle does not hold the steps that it is composed of: name its manifest instead")
        seams = self._seams(endpoint.key)
        means = Means(seams.op, lambda key, given: self._called(key, given).outputs)
        outputs = evaluate(seams.plan, [feeds[name] for name in seams.inputs], means)
        return Answer(outputs, self.title, narrow=True, seams=seams)

    def _seams(self, key: str) -> Seams:
        spec = self._specs[key]
        interfaces = {key: Interface.of(endpoint.signature) for key, endpoint in self._endpoints.items()}
        made = plan(spec, interfaces)
        tensors = dict(self._tensors(key, made))
        return Seams(tuple(spec.inputs), made, tensors, self._op, self._called, self._endpoints)

    def _tensors(self, key: str, made: Plan) -> Iterator[tuple[Ref, str]]:
        """The tensors that the bundle's record names. A call gives its outputs in no certain order."""
        recorded = [step.gives for step in self._composed[key].steps]
        if [sorted(given.name for given in gives) for gives in recorded] != [sorted(act.gives) for act in made.acts]:
            raise Incomparable("the bundle's record has other steps than its manifest")
        for number, (act, gives) in enumerate(zip(made.acts, recorded)):
            by_name = {given.name: given.tensor for given in gives}
            for at, name in enumerate(act.gives):
                yield Ref(number, at), by_name[name] if isinstance(act.step, CallStep) else gives[at].tensor

    def _op(self, step: OpStep, values: Sequence[np.ndarray], like: np.ndarray | None) -> Sequence[np.ndarray]:
        if step.op == "parse_example":
            raise Incomparable("TensorFlow.js parses no tf.Examples")
        decoder = self._decoder() if step.op == "decode_image" else None
        return self._javascript.step(step.model_dump(mode="json", by_alias=True), values, like, decoder)

    def _decoder(self) -> Path | None:
        """The package that decodes images; None for the one beside TensorFlow.js. Raises Incomparable without one."""
        if isinstance(self._sought, SourceError):
            raise Incomparable(f"TensorFlow.js has no decoder for images here: {self._sought.faults[0]}")
        return self._sought

    @cached_property
    def _sought(self) -> Path | SourceError | None:
        """What was found of the decoder, or why there is none: npm is asked once."""
        try:
            return self._find_decoder()
        except Damaged:
            raise
        except SourceError as error:
            return error

    def _called(self, key: str, feeds: Mapping[str, np.ndarray]) -> Answer:
        """What a signature gives. The same inputs come again: in the whole chain, and where its steps are alone."""
        if key not in self._last or not self._last[key].has(feeds):
            self._last[key] = _Call(feeds, self.answer(self._endpoints[key], feeds, None))
        return self._last[key].answer
