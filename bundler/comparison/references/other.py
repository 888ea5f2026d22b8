"""Another bundle, whose signatures have the same keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from bundler.bundle import Bundle, Endpoint
from bundler.comparison import references
from bundler.comparison.references import Answer, Incomparable
from bundler.ir.nodes import Shape
from bundler.runtimes.tensorflow import Runtime

__all__ = ["Other"]


class Other(NamedTuple):
    """A SavedModel that another process of TensorFlow runs; see `references.Reference`."""

    bundle: Bundle
    runtime: Runtime

    @property
    def title(self) -> str:
        return str(self.bundle.folder)

    def shapes(self, endpoint: Endpoint) -> Mapping[str, Shape]:
        inputs = self._counterpart(endpoint).signature.inputs
        return {name: spec.shape for name, spec in inputs.items() if spec.shape is not None}

    def answer(
        self, endpoint: Endpoint, feeds: Mapping[str, np.ndarray], golden: Mapping[str, np.ndarray] | None
    ) -> Answer:
        there = self._counterpart(endpoint)
        unlike = there.signature.inputs.keys() ^ feeds.keys()
        if unlike:
            raise Incomparable(f"the other bundle has other inputs: {', '.join(sorted(unlike))}")
        absent = {
            name: "the other bundle has no such output"
            for name in endpoint.signature.outputs
            if name not in there.signature.outputs
        }
        return Answer(there.call(self.runtime, feeds, seconds=references.SECONDS), self.title, open=absent)

    def _counterpart(self, endpoint: Endpoint) -> Endpoint:
        """The signature of the same key, in the MetaGraph of the same tags if several have one."""
        found = [there for there in self.bundle.endpoints if there.key == endpoint.key]
        same = [there for there in found if set(there.tags) == set(endpoint.tags)] or found
        if len(same) != 1:
            raise Incomparable("the other bundle has no such signature" if not same else "several MetaGraphs have it")
        return same[0]
