"""Every op that TensorFlow.js lists, imported by bundler, agrees with TensorFlow and TensorFlow.js.

Where those two disagree, the case says so, and bundler gives TensorFlow's result. A test here is one case; what came of
all is in docs/OPS.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bundler import ops
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.conformance.judge import Outcome, judge
from tests.conformance.page import page
from tests.conformance.run import Runners, run
from tests.conformance.table import CATEGORIES, cases
from tests.support.answers import NO_ONEDNN
from tests.support.places import ROOT


class Outcomes:
    """What came of the cases, a category at a time, when first asked."""

    def __init__(self, runners: Runners, folder: Path) -> None:
        self._runners = runners
        self._folder = folder
        self.of = cache(self._of)

    def _of(self, category: str) -> dict[str, Outcome]:
        runs = run(cases()[category], self._runners, self._folder / category)
        return {case.id: judge(case, made) for case, made in zip(cases()[category], runs)}


@pytest.fixture(scope="session")
def outcomes(
    javascript: TensorFlowJs, runtime: Runtime, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outcomes]:
    with Runtime(environment=NO_ONEDNN) as plain:
        yield Outcomes(Runners(javascript, runtime, plain), tmp_path_factory.mktemp("conformance"))


ALL = [(category, case.id) for category in CATEGORIES for case in cases()[category]]


@pytest.mark.parametrize(("category", "case"), ALL, ids=[f"{category}:{case}" for category, case in ALL])
def test_the_three_ways_to_run_an_op_agree(category: str, case: str, outcomes: Outcomes) -> None:
    assert outcomes.of(category)[case].faults == ()


def test_every_op_of_a_model_has_a_case() -> None:
    named = {case.op for found in cases().values() for case in found}
    assert sorted(named ^ {name for name, op in ops.table().items() if not op.ours}) == []


def test_no_two_cases_have_one_name() -> None:
    count = Counter(case for _, case in ALL)
    assert [case for case, times in count.items() if times > 1] == []


def test_there_are_cases_enough() -> None:
    assert len(ALL) >= 600


def test_the_page_of_ops_says_what_the_suite_finds(outcomes: Outcomes) -> None:
    found = [outcome for category in CATEGORIES for outcome in outcomes.of(category).values()]
    assert (ROOT / "docs" / "OPS.md").read_text() == page(found), "python tests/generate/ops_page.py writes it anew"
