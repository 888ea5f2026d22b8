"""A little of `make fuzz`: the same inputs every time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.inputs import KINDS
from tests.fuzz.oracle import Oracle
from tests.fuzz.run import SHARES, fuzz

INPUTS = 6
"""Times the share of a kind: about fifteen seconds in all."""


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle() as judging:
        yield judging


@pytest.mark.parametrize("kind", KINDS)
def test_any_input_ends_in_a_bundle_that_loads_or_in_a_bundler_error(kind: str, oracle: Oracle) -> None:
    assert fuzz(oracle, kind, INPUTS * SHARES[kind], 0) is None


def test_some_bundles_load_and_some_errors_are_of_each_stage(oracle: Oracle) -> None:
    fuzz(oracle, "mutants", 100, 1)
    fuzz(oracle, "graphs", 100, 6)
    assert {"loads", "ConversionError", "SourceError", "VerificationError"} <= oracle.counts.keys()
