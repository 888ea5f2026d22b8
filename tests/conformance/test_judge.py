"""The judge of the suite finds what it is there to find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import new_node
from tests.conformance.case import AGREES, Array, Cannot, Differs, Verdict, array, case
from tests.conformance.compare import apart, contrast
from tests.conformance.judge import Outcome, judge
from tests.conformance.page import page
from tests.conformance.run import Result, Run

IMPORTED = Model(
    Graph((new_node("Placeholder", "x", dtype=DType.float32), new_node("Abs", "y", ["x"], T=DType.float32)))
)
RIGHT, WRONG = [np.array([1, 2], np.float32)], [np.array([1, 3], np.float32)]
WHY = "it takes two for three"


def outcome(
    *,
    javascript: Verdict = AGREES,
    theirs: Result = RIGHT,
    onednn: Result = RIGHT,
    plain: Result = RIGHT,
    model: Model | str = IMPORTED,
    **more: Any,
) -> Outcome:
    made = case("Abs", "it", [1.0, -2.0], javascript=javascript, **more)
    return judge(made, Run(model, RIGHT, (onednn, plain), theirs))


GOOD: dict[str, dict[str, Any]] = {
    "all agree": {},
    "JavaScript differs as said": {"javascript": Differs(WHY), "theirs": WRONG},
    "JavaScript cannot as said": {"javascript": Cannot(WHY), "theirs": "no"},
    "refused as said": {"model": "bundler: a forest", "refused": "forest"},
    "random within its range": {"drawn": (0, 5), "theirs": WRONG, "onednn": WRONG},
}
BAD: dict[str, dict[str, Any]] = {
    "wrong with oneDNN": {"onednn": WRONG},
    "wrong without oneDNN": {"plain": WRONG},
    "the bundle is refused": {"plain": "no such kernel"},
    "JavaScript differs": {"theirs": WRONG},
    "JavaScript cannot": {"theirs": "no"},
    "JavaScript agrees after all": {"javascript": Differs(WHY)},
    "JavaScript refuses where it was to differ": {"javascript": Differs(WHY), "theirs": "no"},
    "JavaScript can after all": {"javascript": Cannot(WHY)},
    "refused": {"model": "bundler: a forest"},
    "refused for another reason": {"model": "bundler: a swamp", "refused": "forest"},
    "not refused": {"refused": "forest"},
    "random out of its range": {"drawn": (0, 2), "plain": WRONG},
    "not as exact as asked": {"tolerance": 1e-9, "plain": [RIGHT[0] + np.float32(1e-6)]},
}


@pytest.mark.parametrize("how", GOOD.values(), ids=GOOD)
def test_what_is_as_said_is_no_fault(how: dict[str, Any]) -> None:
    assert outcome(**how).faults == ()


@pytest.mark.parametrize("how", BAD.values(), ids=BAD)
def test_what_is_not_as_said_is_one_fault(how: dict[str, Any]) -> None:
    assert len(outcome(**how).faults) == 1


def test_a_difference_is_reported_with_both_results() -> None:
    found = outcome(javascript=Differs(WHY), theirs=WRONG)
    assert f"it: {WHY} (3 in TensorFlow.js, 2 in TensorFlow)" in page([found])


NAN, INF = float("nan"), float("inf")
DISTANCES: list[tuple[Array, Array, float]] = [
    ([1.0, NAN, INF], [1.0, NAN, INF], 0.0),
    ([NAN], [1.0], INF),
    ([INF], [-INF], INF),
    ([101.0], [100.0], 0.01),
    ([0.5], [0.25], 0.25),
    ([1], [2], INF),
    ([1], [1.0], INF),
    ([[1.0]], [1.0], INF),
    (["a"], ["a"], 0.0),
    (["a"], ["b"], INF),
    ([True], [True], 0.0),
]


@pytest.mark.parametrize(("found", "right", "distance"), DISTANCES)
def test_how_far_two_results_are_apart(found: Array, right: Array, distance: float) -> None:
    assert apart(array(found), array(right)) == pytest.approx(distance)


def test_javascript_may_have_the_nearest_dtype_that_it_has() -> None:
    narrow, wide = np.array([1], np.int32), np.array([1], np.int64)
    assert apart(narrow, wide, narrow=True) == 0
    assert apart(narrow, wide) == INF
    assert apart(narrow, np.array([1.0]), narrow=True) == INF


@pytest.mark.parametrize(
    ("found", "right", "shown"),
    [
        ([[1.0, 2.0]], [1.0, 2.0], ("shape [1, 2]", "shape [2]")),
        ([1, 2], [1.5, 2.5], ("int32 1, 2", "float32 1.5, 2.5")),
        ([1.0, 2.0, 3.0], [1.0, 4.0, 3.0], ("2", "4")),
        (["a", "b"], ["a", "c"], ("'b'", "'c'")),
    ],
)
def test_a_contrast_shows_what_differs_and_no_more(found: Array, right: Array, shown: tuple[str, str]) -> None:
    assert contrast([array(found)], [array(right)]) == shown
