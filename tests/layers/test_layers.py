"""Bundles of layers models give the numbers of the library that made the models, on every road.

A test here is all models of one layer that one library made. What came of all of them is in docs/LAYERS.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from bundler.errors import ConversionError
from bundler.tfjs.layers.configuration import LAYERS, translate
from bundler.tfjs.layers.options import ACTIVATIONS, KINDS
from tests.layers.case import JAVASCRIPT, ORIGINS, Origin
from tests.layers.judge import Outcome
from tests.layers.libraries import REFUSED
from tests.layers.model import layers
from tests.layers.page import page
from tests.layers.programs import offered
from tests.layers.run import Roads, roads
from tests.layers.suite import outcomes
from tests.layers.table import cases
from tests.support.places import ROOT
from tests.tfjs.test_layers import NEEDS_KERAS

PAGE = ROOT / "docs" / "LAYERS.md"
ALL = [case for family in cases().values() for case in family]
BY_KIND = {kind: [case for case in ALL if case.kind == kind] for kind in sorted({case.kind for case in ALL})}
BY_KERAS = (NEEDS_KERAS, pytest.mark.slow)
LIBRARIES = [pytest.param(origin, marks=BY_KERAS if origin != JAVASCRIPT else ()) for origin in ORIGINS]

Found = Callable[[Origin], Mapping[str, Outcome]]


@pytest.fixture(scope="module")
def all_roads() -> Iterator[Roads]:
    with roads() as ways:
        yield ways


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("layers")


@pytest.fixture(scope="module")
def found(all_roads: Roads, tensorflowjs_modules: Path, folder: Path) -> Found:
    """The outcomes of all cases of a library, by case, when first asked for."""

    @cache
    def find(origin: Origin) -> Mapping[str, Outcome]:
        listed = outcomes(origin, ALL, all_roads, tensorflowjs_modules, folder)
        return {outcome.case.id: outcome for outcome in listed}

    return find


@pytest.mark.parametrize("kind", BY_KIND)
@pytest.mark.parametrize("origin", LIBRARIES)
def test_a_bundle_gives_the_numbers_of_the_library(origin: Origin, kind: str, found: Found) -> None:
    faults = {case.name: found(origin)[case.id].faults for case in BY_KIND[kind]}
    assert {name: listed for name, listed in faults.items() if listed} == {}


# What the table covers ---------------------------------------------------------------------------


def test_no_two_cases_have_one_name() -> None:
    assert [name for name, times in Counter(case.id for case in ALL).items() if times > 1] == []


@pytest.mark.parametrize("origin", LIBRARIES)
def test_every_layer_of_the_library_has_a_case_or_is_refused(origin: Origin, found: Found, folder: Path) -> None:
    found(origin)
    known = {part.kind for case in ALL for part in layers(case.model)} | set().union(*REFUSED.values())
    assert sorted(offered(origin, folder) - known - ABSTRACT) == []


ABSTRACT = {"AbstractRNNCell", "ConvLSTM2DCell", "Layer", "Wrapper", "Functional", "InputLayer", "Model", "Sequential"}
"""What a file cannot have where a layer stands, and what every model has."""


@pytest.mark.parametrize("kind", sorted(set().union(*REFUSED.values())))
def test_a_layer_that_the_page_calls_refused_is_refused_by_name(kind: str) -> None:
    layer = {"class_name": kind, "config": {"name": "it"}}
    model = {"class_name": "Sequential", "config": {"name": "m", "layers": [layer]}}
    with pytest.raises(ConversionError, match=f"layer 'it': .*{kind!r}"):
        translate({"keras_version": "2.15.0", "model_config": model})


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_every_layer_and_every_option_of_bundler_has_a_case(kind: str) -> None:
    given = [part for case in ALL for part in layers(case.model) if part.kind == kind]
    tried = {key for part in given for key in part.options}
    assert kind in WHOLE or given
    assert sorted(KINDS.get(kind, {}).keys() - tried - UNTRIED.get(kind, set())) == []


WHOLE = {"Functional", "Model", "Sequential", "InputLayer", "ConvLSTM2DCell"}
UNTRIED: Mapping[str, set[str]] = {
    **{kind: {"groups"} for kind in BY_KIND if "Transpose" in kind or "Depthwise" in kind or "Separable" in kind},
    **{kind: {"unroll", "zero_output_for_mask", "stateful"} for kind in BY_KIND if kind.startswith("ConvLSTM")},
    "RNN": {"stateful"},
    "ConvLSTM2DCell": set(KINDS["ConvLSTM2DCell"]),
}
"""Options that have one value only in the files of all libraries, and what stands in no file of its own."""


def test_every_activation_has_a_case() -> None:
    tried = {part.options.get("activation") for case in BY_KIND["Activation"] for part in layers(case.model)}
    assert sorted(set(ACTIVATIONS) - tried) == []


# The page ----------------------------------------------------------------------------------------


@NEEDS_KERAS
@pytest.mark.slow
def test_the_page_of_layers_is_what_the_suite_finds(found: Found) -> None:
    listed: Sequence[Outcome] = [outcome for origin in ORIGINS for outcome in found(origin).values()]
    assert without_figures(PAGE.read_text()) == without_figures(page(listed)), (
        "python tests/generate/layers_page.py writes it anew"
    )


def test_the_page_of_layers_has_a_row_for_every_case() -> None:
    made = page([Outcome(case, origin) for origin in ORIGINS for case in ALL])
    assert rows(PAGE.read_text()) == rows(made)


def without_figures(text: str) -> str:
    """The errors are the machine's."""
    return re.sub(r"\b\de-?\d+\b|\bequal\b", "0", text)


def rows(text: str) -> list[tuple[str, ...]]:
    """Layer, option, values and number of models of each row; the notes."""
    lines = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [tuple(line[:4]) for line in lines]
