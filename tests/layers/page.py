"""docs/LAYERS.md: what came of the layers suite, a table for all layers and their options."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.layers.case import ORIGINS, Case, Differs, Lacks, Origin, Refused, Verdict
from tests.layers.judge import Outcome
from tests.layers.libraries import LIBRARIES, REFUSED
from tests.layers.model import Layer, Part, layers

__all__ = ["page"]

PROSE = Path(__file__).with_name("prose.md")
HEAD = """
## Every layer and option

{cases} small models of {kinds} layers, made, saved and run by each library that has the layer, against the bundle that
bundler makes of the files: in a session and through `tf.saved_model.load`, with oneDNN and without. `tests/layers`
holds the models; `python tests/generate/layers_page.py` runs them and writes this page.

The figures are the largest error over all models with that option, as a part of the output's largest value. `–` stands
for a layer or an option that the library does not have; the notes below say what else happens.

| layer | option | values | models | {libraries} |
|---|---|---|---:|{lines}|
"""
NOTES = """
## Notes

| layer | models | library | what happens |
|---|---|---|---|
"""
REFUSALS = """
## Layers that are refused

| layers | why |
|---|---|
"""
_SHOWN = 36
"""Values of an option, or names of models, that a row shows."""

_Outcomes = Mapping[Origin, Mapping[str, Outcome]]
"""By library and case."""


def page(outcomes: Iterable[Outcome]) -> str:
    """The page's text."""
    listed = list(outcomes)
    found = {origin: {each.case.id: each for each in listed if each.origin == origin} for origin in ORIGINS}
    cases = [outcome.case for outcome in found[ORIGINS[0]].values()]
    kinds = sorted({case.kind for case in cases}, key=str.casefold)
    columns = {"libraries": " | ".join(LIBRARIES[origin] for origin in ORIGINS), "lines": "|".join(["---"] * 3)}
    rows = (row for kind in kinds for row in _rows(kind, [case for case in cases if case.kind == kind], found))
    return "".join(
        [
            PROSE.read_text(),
            HEAD.format(cases=len(cases), kinds=len(kinds), **columns),
            *rows,
            NOTES,
            *_notes(cases),
            REFUSALS,
            *(_line([", ".join(f"`{kind}`" for kind in sorted(names)), why]) for why, names in REFUSED.items()),
        ]
    )


def _rows(kind: str, cases: Sequence[Case], outcomes: _Outcomes) -> Iterator[str]:
    """A row for all models of a layer, and one for each option."""
    yield _row(f"`{kind}`", "", cases, outcomes)
    options = {case.id: _options(kind, case.model) for case in cases}
    for option in sorted({key for given in options.values() for key, _ in given}):
        having = [case for case in cases if any(key == option for key, _ in options[case.id])]
        values = dict.fromkeys(_value(value) for case in having for key, value in options[case.id] if key == option)
        yield _row("", f"`{option}`", having, outcomes, _values(list(values)))


def _row(kind: str, option: str, cases: Sequence[Case], outcomes: _Outcomes, values: str = "") -> str:
    results = [_result([outcomes[origin][case.id] for case in cases]) for origin in ORIGINS]
    return _line([kind, option, values, str(len(cases)), *results])


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _result(outcomes: Sequence[Outcome]) -> str:
    """The largest error, rounded up; else what happens instead."""
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if errors:
        return _shown(max(errors))
    refused = any(isinstance(outcome.case.but.get(outcome.origin), Refused) for outcome in outcomes)
    return "refused" if refused else "–"


def _shown(error: float) -> str:
    if error == 0:
        return "equal"
    power = math.floor(math.log10(error))
    digit = math.ceil(error / 10.0**power)
    return f"{digit}e{power}" if digit < 10 else f"1e{power + 1}"


# Options -----------------------------------------------------------------------------------------


def _options(kind: str, model: Part) -> list[tuple[str, object]]:
    """The options of all layers of a kind in a model."""
    return [item for part in layers(model) if part.kind == kind for item in part.options.items()]


def _values(shown: Sequence[str]) -> str:
    return ", ".join([*shown[:_SHOWN], "…"] if len(shown) > _SHOWN else shown)


def _value(value: object) -> str:
    if isinstance(value, Layer):
        return value.kind
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, (bool, int, float, str)) or value is None:
        return str(value).lower() if not isinstance(value, str) else value
    return "a model"


# Notes -------------------------------------------------------------------------------------------


def _notes(cases: Sequence[Case]) -> Iterator[str]:
    """What else happens than that the numbers agree; a layer that a library does not have needs no note."""
    grouped: dict[tuple[str, Origin, str], list[str]] = {}
    for case in cases:
        for origin, verdict in case.but.items():
            if not (isinstance(verdict, Lacks) and verdict.absent):
                grouped.setdefault((case.kind, origin, _happening(verdict)), []).append(case.name)
    for (kind, origin, what), names in sorted(grouped.items()):
        yield _line([f"`{kind}`", _values(names), LIBRARIES[origin], what])


def _happening(verdict: Verdict) -> str:
    if isinstance(verdict, Lacks):
        return f"the library fails: “{verdict.words.strip()}”"
    if isinstance(verdict, Refused):
        return f"bundler refuses the model: “{verdict.words}”"
    if isinstance(verdict, Differs):
        return f"{verdict.why}; bundler does not"
    return f"the library does not load its own file (“{verdict.words}”); bundler does"
