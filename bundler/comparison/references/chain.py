"""Composed signatures step by step: their models in TensorFlow.js, their steps by its functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from bundler.bundle import Endpoint
from bundler.comparison.references import Answer, Incomparable
from bundler.comparison.references.browser import Browser
from bundler.comparison.subject import Subject
from bundler.compose.evaluate import Means, evaluate
from bundler.compose.plan import Interface, plan
from bundler.disk.cache import Damaged
from bundler.errors import SourceError
from bundler.ir.nodes import Shape
from bundler.manifest.steps import ComposedSpec, OpStep
from bundler.runtimes.javascript import TensorFlowJs

__all__ = ["Chain"]


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
        self._composed = {signature.key for signature in subject.report.signatures if signature.steps}
        self._specs = {spec.key: spec for spec in (subject.manifest.composed if subject.manifest else ())}

    def shapes(self, endpoint: Endpoint) -> Mapping[str, Shape]:
        return {} if endpoint.key in self._composed else self._browser.shapes(endpoint)

    def answer(
        self, endpoint: Endpoint, feeds: Mapping[str, np.ndarray], golden: Mapping[str, np.ndarray] | None
    ) -> Answer:
        if endpoint.key not in self._composed:
            return self._browser.answer(endpoint, feeds, golden)
        if endpoint.key not in self._specs:
            raise Incomparable("the bundle does not hold the steps that it is composed of: name its manifest instead")
        return Answer(self._outputs(self._specs[endpoint.key], feeds), self.title, narrow=True)

    def _outputs(self, spec: ComposedSpec, feeds: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        interfaces = {key: Interface.of(endpoint.signature) for key, endpoint in self._endpoints.items()}
        return evaluate(plan(spec, interfaces), [feeds[name] for name in spec.inputs], Means(self._op, self._call))

    def _op(self, step: OpStep, values: Sequence[np.ndarray], like: np.ndarray | None) -> Sequence[np.ndarray]:
        if step.op == "parse_example":
            raise Incomparable("TensorFlow.js parses no tf.Examples")
        decoder = self._decoder() if step.op == "decode_image" else None
        return self._javascript.step(step.model_dump(mode="json", by_alias=True), values, like, decoder)

    def _decoder(self) -> Path | None:
        """The package that decodes images; None for the one beside TensorFlow.js. Raises Incomparable without one."""
        if isinstance(self._found, SourceError):
            raise Incomparable(f"TensorFlow.js has no decoder for images here: {self._found.faults[0]}")
        return self._found

    @cached_property
    def _found(self) -> Path | SourceError | None:
        """The same, or why there is none: npm is asked once."""
        try:
            return self._find_decoder()
        except Damaged:
            raise
        except SourceError as error:
            return error

    def _call(self, key: str, feeds: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        return self.answer(self._endpoints[key], feeds, None).outputs
