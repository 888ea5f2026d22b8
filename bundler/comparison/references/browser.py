"""TensorFlow.js, which runs the models that a bundle was made from."""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bundler.bundle import Endpoint
from bundler.comparison.origins import Origin, Origins
from bundler.comparison.references import Answer, Incomparable
from bundler.ir.nodes import Shape
from bundler.runtimes.failures import Refused
from bundler.runtimes.javascript import Description, TensorFlowJs

__all__ = ["Browser"]


class _Run(NamedTuple):
    """What TensorFlow.js gave for a model's inputs."""

    entry: Path
    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]

    def is_of(self, entry: Path, inputs: Mapping[str, np.ndarray]) -> bool:
        """Whether the model and its inputs were these."""
        same = entry == self.entry and inputs.keys() == self.inputs.keys()
        return same and all(np.array_equal(value, self.inputs[name]) for name, value in inputs.items())


class Browser:
    """The source models in TensorFlow.js; see `references.Reference`.

    A signature that TensorFlow.js computes otherwise on purpose is compared with recorded outputs, if there are any.
    """

    def __init__(self, javascript: TensorFlowJs, origins: Origins) -> None:
        self._javascript = javascript
        self._origins = origins
        self._last = _Run(Path(), {}, {})
        self.title = f"TensorFlow.js {javascript.version}"

    def shapes(self, endpoint: Endpoint) -> Mapping[str, Shape]:
        origin = self._origins.of(endpoint)
        known = {port.name: port.shape for port in self._described(origin).inputs}
        found = {name: known.get(_node(theirs)) for name, theirs in self._inputs(origin).items()}
        return {name: shape for name, shape in found.items() if shape is not None}

    def answer(
        self, endpoint: Endpoint, feeds: Mapping[str, np.ndarray], golden: Mapping[str, np.ndarray] | None
    ) -> Answer:
        origin = self._origins.of(endpoint)
        if origin.departures and golden:
            return Answer(golden, "the recorded outputs")
        inputs, outputs = self._inputs(origin), self._outputs(origin)
        given = {inputs[name]: value for name, value in feeds.items()}
        found = self._run(endpoint, origin, given, {*outputs.values()})
        answers = {name: found[theirs] for name, theirs in outputs.items()}
        return Answer(answers, self.title, narrow=True, open=origin.inner, departs=_departs(origin))

    def _run(
        self, endpoint: Endpoint, origin: Origin, given: Mapping[str, np.ndarray], outputs: Set[str]
    ) -> Mapping[str, np.ndarray]:
        """The outputs of a model. Those of its other signatures too: with the same inputs, they are asked for next."""
        last = self._last
        if not (last.is_of(origin.entry, given) and outputs <= last.outputs.keys()):
            try:
                more = self._origins.siblings(endpoint)
                found = self._javascript.run(origin.entry, given, sorted(outputs | more))
            except Refused:
                found = self._javascript.run(origin.entry, given, sorted(outputs))
            self._last = last = _Run(origin.entry, given, found)
        return last.outputs

    def _inputs(self, origin: Origin) -> Mapping[str, str]:
        return _matched(origin.inputs, origin.own_inputs, [port.name for port in self._described(origin).inputs])

    def _outputs(self, origin: Origin) -> Mapping[str, str]:
        return _matched(origin.outputs, origin.own_outputs, [port.name for port in self._described(origin).outputs])

    def _described(self, origin: Origin) -> Description:
        return self._javascript.describe(origin.entry)


def _departs(origin: Origin) -> str:
    if not origin.departures:
        return ""
    return (
        f"{origin.library} wrote the model, and TensorFlow.js computes it otherwise ({', '.join(origin.departures)}):"
        f" record outputs of {origin.library} in a check"
    )


def _node(tensor: str) -> str:
    return tensor.partition(":")[0]


def _matched(names: Mapping[str, str], own: tuple[str, ...], theirs: list[str]) -> Mapping[str, str]:
    """TensorFlow.js' name of each input or output. A layers model's `own` ones are found by their position there."""
    if not own:
        return names
    if len(own) > len(theirs):
        raise Incomparable("TensorFlow.js keeps the states of the model's layers, which the bundle takes and gives")
    if len(own) != len(theirs) or len({*theirs}) != len(theirs):
        raise Incomparable(f"TensorFlow.js knows other ends of the model: {', '.join(theirs)}, not {', '.join(own)}")
    by_position = dict(zip(own, theirs))
    return {name: by_position[found] for name, found in names.items()}
