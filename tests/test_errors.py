from __future__ import annotations

import pickle

import pytest

from bundler import errors
from bundler.errors import BundlerError, ConversionError, Fault, ManifestError, SourceError, closest, within

FAULT = Fault("is missing", "model[0]", found="nothing", expected="a name", hint="name it")

TREE = {
    "BundlerError": 1,
    "ManifestError": 2,
    "LockError": 3,
    "SourceError": 4,
    "ConversionError": 5,
    "VerificationError": 6,
}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("is missing"), "is missing"),
        (Fault("is missing", "here"), "here: is missing"),
        (Fault("is wrong", found="2"), "is wrong (found 2)"),
        (Fault("is wrong", expected="1"), "is wrong (expected 1)"),
        (FAULT, "model[0]: is missing (found nothing, expected a name)"),
    ],
)
def test_a_fault_says_where_what_found_and_expected(fault: Fault, told: str) -> None:
    assert str(fault) == told


@pytest.mark.parametrize(("where", "told"), [("", "file"), ("node 'y'", "file: node 'y'")])
def test_a_fault_inside_something_begins_with_it(where: str, told: str) -> None:
    assert Fault("is wrong", where).inside("file").where == told


@pytest.mark.parametrize(("where", "told"), [("", "model[1]"), ("outputs[2]", "model[1].outputs[2]")])
def test_a_fault_under_a_part_continues_its_place(where: str, told: str) -> None:
    assert Fault("is wrong", where).under("model[1]").where == told


@pytest.mark.parametrize(("name", "exit_code"), TREE.items())
def test_every_kind_of_error_has_the_exit_code_that_the_docs_draw(name: str, exit_code: int) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, BundlerError)
    assert kind.exit_code == exit_code
    drawn = next(line for line in (errors.__doc__ or "").splitlines() if name in line)
    assert f"exit {exit_code}" in drawn


def test_an_error_is_told_fault_by_fault() -> None:
    error = ManifestError.of([Fault("is missing", "a"), Fault("is wrong", "b")])
    assert str(error) == "a: is missing\nb: is wrong"


def test_an_error_crosses_to_another_process_whole() -> None:
    error = pickle.loads(pickle.dumps(SourceError.of([FAULT, Fault("is wrong")])))
    assert type(error) is SourceError
    assert error.faults == (FAULT, Fault("is wrong"))


def test_each_layer_adds_where_it_stood_to_every_fault() -> None:
    with pytest.raises(ConversionError) as caught, within("model 'm'"), within("model.json"):
        raise ConversionError.of([Fault("is wrong", "node 'y'"), Fault("is missing")])
    assert [fault.where for fault in caught.value.faults] == [
        "model 'm': model.json: node 'y'",
        "model 'm': model.json",
    ]


def test_what_is_no_error_of_ours_passes_as_it_is() -> None:
    with pytest.raises(ValueError, match="^plain$"), within("model 'm'"):
        raise ValueError("plain")


@pytest.mark.parametrize(
    ("name", "hint"), [("heatmap", "did you mean 'heatmaps'?"), ("heatmaps", "did you mean 'heatmaps'?"), ("zzz", "")]
)
def test_a_near_miss_is_hinted_at_and_a_far_one_is_not(name: str, hint: str) -> None:
    assert closest(name, iter(["offsets", "heatmaps"])) == hint
