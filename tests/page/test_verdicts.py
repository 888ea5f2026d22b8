"""The places of errors on the axis of the plots."""

from __future__ import annotations

import math

import pytest

from bundler.page.verdicts import marked, ticks
from bundler.report import Entries
from bundler.report.verification import OutputVerdict, SignatureVerdict


@pytest.mark.parametrize(
    ("error", "at", "said"),
    [
        (0.0, 1.5, "equal"),
        (1e-300, 4.0, "1.0e-300"),
        (1e-9, 4.0, "1.0e-09"),
        (1e-4, 55.67, "1.0e-04"),
        (1.0, 97.0, "1.0e+00"),
        (50.0, 97.0, "5.0e+01"),
        (math.inf, 97.0, "inf"),
        (math.nan, 97.0, "nan"),
    ],
)
def test_an_error_has_a_place(error: float, at: float, said: str) -> None:
    signature = SignatureVerdict(
        "k", "", "", "", "", "ok", outputs=Entries([OutputVerdict("y", "ok", error=error), OutputVerdict("z", "ok")])
    )
    assert [(mark.output.name, mark.at, mark.error) for mark in marked(signature)] == [("y", at, said)]


def test_the_limit_is_one_of_the_marks_of_the_axis() -> None:
    assert [(tick.label, tick.at) for tick in ticks() if tick.is_limit] == [("1e-4", 55.67)]
