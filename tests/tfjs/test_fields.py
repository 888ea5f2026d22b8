from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bundler.errors import ConversionError
from bundler.tfjs import fields

ENTRY = {"text": "y", "table": {"a": 1}, "tables": [{"a": 1}, {}], "texts": ["a", "b"], "null": None, "half": "\ud800"}


@pytest.mark.parametrize(
    ("read", "key", "value"),
    [
        (fields.text, "text", "y"),
        (fields.table, "table", {"a": 1}),
        (fields.table, "null", {}),
        (fields.table, "absent", {}),
        (fields.tables, "tables", [{"a": 1}, {}]),
        (fields.tables, "null", []),
        (fields.tables, "absent", []),
        (fields.texts, "texts", ["a", "b"]),
        (fields.texts, "null", []),
        (fields.texts, "absent", []),
    ],
)
def test_what_is_there_is_read_and_what_may_be_absent_is_empty(
    read: Callable[[Any, str], Any], key: str, value: object
) -> None:
    assert read(ENTRY, key) == value


def test_an_absent_text_is_what_the_caller_says() -> None:
    assert fields.text(ENTRY, "absent", "default") == "default"


@pytest.mark.parametrize(
    ("read", "key", "error"),
    [
        (fields.text, "absent", "'absent' is of the wrong kind (found nothing, expected a string)"),
        (fields.text, "table", "'table' is of the wrong kind (found {\"a\": 1}, expected a string)"),
        (fields.text, "half", "'half' is of the wrong kind (found \"\\ud800\", expected a string)"),
        (fields.table, "text", "'text' is of the wrong kind (found \"y\", expected an object)"),
        (fields.tables, "table", "'table' is of the wrong kind (found {\"a\": 1}, expected a list)"),
        (fields.tables, "texts", "an item of 'texts' is of the wrong kind (found \"a\", expected an object)"),
        (fields.texts, "text", "'text' is of the wrong kind (found \"y\", expected a list)"),
        (fields.texts, "tables", "an item of 'tables' is of the wrong kind (found {\"a\": 1}, expected a string)"),
    ],
)
def test_what_is_of_another_kind_is_an_error(read: Callable[[Any, str], Any], key: str, error: str) -> None:
    with pytest.raises(ConversionError) as caught:
        read(ENTRY, key)
    assert str(caught.value) == error


def test_keys_that_no_file_can_hold_are_errors() -> None:
    with pytest.raises(ConversionError, match="^a key of 'attr' is of the wrong kind"):
        fields.table({"attr": {"\udfff": 1}}, "attr")


def test_what_is_found_is_shown_in_short() -> None:
    with pytest.raises(ConversionError) as caught:
        fields.text({"name": ["x" * 1000]}, "name")
    assert len(caught.value.faults[0].found) == 60


@pytest.mark.parametrize(
    ("spelled", "value"),
    [(3, 3), ("3", 3), ("-1", -1), (2.0, 2), ("9223372036854775807", 2**63 - 1), (-(2**63), -(2**63))],
)
def test_an_integer_is_a_number_or_a_string(spelled: object, value: int) -> None:
    assert fields.integer(spelled) == value


@pytest.mark.parametrize(
    "spelled", [None, True, 2.5, "2.5", "x", "", [], {}, float("inf"), float("nan"), 2**63, "-9223372036854775809"]
)
def test_nothing_else_is_an_integer(spelled: object) -> None:
    with pytest.raises(ConversionError, match="expected an integer of 64 bits"):
        fields.integer(spelled)


@pytest.mark.parametrize(
    ("spelled", "value"),
    [(3, 3.0), (0.5, 0.5), ("1e-3", 0.001), ("Infinity", float("inf")), ("-Infinity", float("-inf"))],
)
def test_a_number_is_a_number_or_what_protobuf_spells(spelled: object, value: float) -> None:
    assert fields.number(spelled) == value


def test_nan_is_a_number() -> None:
    assert str(fields.number("NaN")) == "nan"


@pytest.mark.parametrize("spelled", [None, True, "x", "", [], {}, 10**400])
def test_nothing_else_is_a_number(spelled: object) -> None:
    with pytest.raises(ConversionError, match="expected a number"):
        fields.number(spelled)


@pytest.mark.parametrize(
    "spelled", ["9" * 5000, "-" + "9" * 5000, "1_000", 1 << 63, -(1 << 63) - 1, 1e300, float("nan"), "1.5"]
)
def test_what_is_no_integer_of_64_bits_is_an_error(spelled: object) -> None:
    with pytest.raises(ConversionError, match="an integer of 64 bits"):
        fields.integer(spelled)


def test_what_is_shown_of_a_value_is_short_however_large_or_deep_it_is() -> None:
    deep: object = []
    for _ in range(900):
        deep = [deep]
    assert fields.shown(deep) == "[" * 60
    assert fields.shown(["x"] * 10**6) == '["x"' + ', "x"' * 11 + ","
    assert fields.shown({"a": 10**6000}) == "an integer of thousands of digits"
    assert fields.shown(None) == "nothing"
