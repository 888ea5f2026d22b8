"""Entries: the rows of a report by position and by name."""

from __future__ import annotations

import copy
import pickle

import pytest

from bundler.report import Check, Entries

LOAD, CAT, DOG = Check("load", "3 tensors"), Check("restore", "cat"), Check("restore", "dog")
CHECKS = Entries([LOAD, CAT, DOG])


def test_an_entry_is_found_by_its_name_or_its_position() -> None:
    assert CHECKS["load"] is CHECKS[0] is LOAD
    assert CHECKS[-1] is DOG
    assert CHECKS[1:] == (CAT, DOG)


def test_it_knows_the_names_and_entries_that_it_holds() -> None:
    assert CHECKS.names == ("load", "restore", "restore")
    assert "load" in CHECKS
    assert LOAD in CHECKS
    assert "tensors" not in CHECKS
    assert Check("load") not in CHECKS


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lode", "no entry is named 'lode': the names are load, restore, restore"),
        ("restore", "2 entries are named 'restore': take one by its position"),
    ],
)
def test_a_name_of_no_entry_or_of_several_is_an_error(name: str, said: str) -> None:
    with pytest.raises(KeyError) as caught:
        CHECKS[name]
    assert caught.value.args == (said,)


def test_it_is_a_tuple_that_can_be_copied_and_pickled() -> None:
    for same in (copy.deepcopy(CHECKS), pickle.loads(pickle.dumps(CHECKS))):
        assert same == CHECKS == (LOAD, CAT, DOG)
        assert same["load"] == LOAD
