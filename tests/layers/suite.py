"""All cases of one origin, made by its library, built by bundler and run on every road."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bundler.ir.model import Model
from tests.layers.case import Case, Lacks, Origin
from tests.layers.judge import Outcome, judge
from tests.layers.programs import Answer, entry, reference
from tests.layers.run import Roads, built, results

__all__ = ["outcomes"]


def outcomes(origin: Origin, cases: Sequence[Case], roads: Roads, node_modules: Path, folder: Path) -> list[Outcome]:
    """The outcome of each case; what is made stands in `folder`."""
    answers = reference(origin, cases, node_modules, folder)
    made = {case.id: answers[case.id] for case in cases if not isinstance(case.but.get(origin), Lacks)}
    given = {key: answer for key, answer in made.items() if isinstance(answer, Answer)}
    models = built({case.id: entry(origin, case, folder) for case in cases if case.id in given})
    sound = {key: model for key, model in models.items() if isinstance(model, Model)}
    feeds = {key: given[key].inputs for key in sound}
    found = {road: results(sound, feeds, run, folder / "bundles" / origin) for road, run in roads.items()}
    return [
        judge(
            case,
            origin,
            answers[case.id],
            refusal if isinstance(refusal := models.get(case.id), str) else "",
            {road: result[case.id] for road, result in found.items() if case.id in result},
        )
        for case in cases
    ]
