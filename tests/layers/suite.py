"""All cases of one origin, made by its library, built by bundler and run on every road."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bundler.ir.model import Model
from tests.layers.case import Case, Lacks, Origin
from tests.layers.judge import Outcome, judge
from tests.layers.programs import Answer, entry, reference
from tests.layers.run import Result, Roads, built, results

__all__ = ["outcomes"]

_STATE = re.compile(r".+_state_\d+")
"""Names of a stateful layer's states, which are inputs and outputs of the signature."""


def outcomes(origin: Origin, cases: Sequence[Case], roads: Roads, node_modules: Path, folder: Path) -> list[Outcome]:
    """The outcome of each case; what is made stands in `folder`."""
    answers = reference(origin, cases, node_modules, folder)
    made = {case.id: answers[case.id] for case in cases if not isinstance(case.but.get(origin), Lacks)}
    given = {key: answer for key, answer in made.items() if isinstance(answer, Answer)}
    models = built({case.id: entry(origin, case, folder) for case in cases if case.id in given})
    sound = {key: model for key, model in models.items() if isinstance(model, Model)}
    feeds = {key: {**_states(model, key), **given[key].inputs} for key, model in sound.items()}
    found = {road: results(sound, feeds, run, folder / "bundles" / origin) for road, run in roads.items()}
    return [
        judge(
            case,
            origin,
            answers[case.id],
            refusal if isinstance(refusal := models.get(case.id), str) else "",
            {road: _without_states(result[case.id]) for road, result in found.items() if case.id in result},
        )
        for case in cases
    ]


def _states(model: Model, key: str) -> dict[str, np.ndarray]:
    """Zeros for the states of stateful layers."""
    inputs = model.signatures[key].inputs
    shapes = {name: inputs[name].shape or () for name in inputs if _STATE.fullmatch(name)}
    return {name: np.zeros([size or 1 for size in shape], np.float32) for name, shape in shapes.items()}


def _without_states(result: Result) -> Result:
    if isinstance(result, str):
        return result
    return {name: value for name, value in result.items() if not _STATE.fullmatch(name)}
