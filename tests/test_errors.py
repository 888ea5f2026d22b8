from __future__ import annotations

import pickle
import time

import pytest

from bundler import errors
from bundler.errors import (
    MOST_OF_A_KIND,
    BundlerError,
    ConversionError,
    Fault,
    ManifestError,
    Place,
    SourceError,
    closest,
    together,
    within,
)

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
    ("fault", "text"),
    [
        (Fault("is missing"), "is missing"),
        (Fault("is missing", "here"), "here: is missing"),
        (Fault("is wrong", found="2"), "is wrong (found 2)"),
        (Fault("is wrong", expected="1"), "is wrong (expected 1)"),
        (FAULT, "model[0]: is missing (found nothing, expected a name)"),
    ],
)
def test_a_fault_as_text_has_place_what_found_and_expected(fault: Fault, text: str) -> None:
    assert str(fault) == text


@pytest.mark.parametrize(("where", "text"), [("", "file"), ("node 'y'", "file: node 'y'")])
def test_a_fault_inside_something_begins_with_it(where: str, text: str) -> None:
    assert Fault("is wrong", where).inside("file").where == text


@pytest.mark.parametrize(
    ("place", "spelled"),
    [
        (Place(), "is wrong"),
        (Place(("model", 1, "rename", "a/b")), 'model[1].rename."a/b": is wrong'),
        (Place(("rename", 'a "b"')), r'rename."a \"b\"": is wrong'),
        (Place((), "a.toml"), "a.toml: is wrong"),
        (Place(("model", 1), "a.toml", 7), "a.toml:7: model[1]: is wrong"),
    ],
)
def test_a_place_in_a_manifest_is_spelled_as_toml_and_editors_do(place: Place, spelled: str) -> None:
    assert str(Fault("is wrong", place=place)) == spelled


def test_words_take_the_place_of_keys() -> None:
    fault = Fault("is wrong", "model 'm'", place=Place(("model", 1), "a.toml", 7))
    assert str(fault) == "a.toml:7: model 'm': is wrong"


def test_a_fault_under_a_part_continues_its_place() -> None:
    inner = Fault("is wrong", place=Place(("outputs", 2), "a.toml", 7))
    assert inner.under("model", 1).place == Place(("model", 1, "outputs", 2), "a.toml", 7)


@pytest.mark.parametrize(("name", "exit_code"), TREE.items())
def test_every_kind_of_error_has_the_exit_code_that_the_docs_draw(name: str, exit_code: int) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, BundlerError)
    assert kind.exit_code == exit_code
    drawn = next(line for line in (errors.__doc__ or "").splitlines() if name in line)
    assert f"exit {exit_code}" in drawn


def test_an_error_as_text_has_a_line_for_each_fault() -> None:
    error = ManifestError.of([Fault("is missing", "a"), Fault("is wrong", "b")])
    assert str(error) == "a: is missing\nb: is wrong"


def test_an_error_crosses_to_another_process_whole() -> None:
    error = pickle.loads(pickle.dumps(SourceError.of([FAULT, Fault("is wrong")])))
    assert type(error) is SourceError
    assert error.faults == (FAULT, Fault("is wrong"))


def test_each_layer_adds_its_place_to_every_fault() -> None:
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


def missing(*numbers: int) -> list[Fault]:
    return [Fault("is missing", f"file {number}", found=str(number), hint=f"hint {number}") for number in numbers]


def test_of_many_faults_of_a_kind_the_first_are_listed_and_the_last_of_them_counts_the_others() -> None:
    error = SourceError.of(iter(missing(*range(1020))))
    assert error.faults[:-1] == tuple(missing(*range(MOST_OF_A_KIND - 1)))
    assert str(error.faults[-1]) == "file 19: is missing (found 19)\n… and 1,000 more"


def test_twenty_faults_are_listed_whole() -> None:
    assert SourceError.of(missing(*range(20))).faults == tuple(missing(*range(20)))


def test_kinds_are_counted_apart_whatever_their_order() -> None:
    wrong = [Fault("is wrong", "a"), Fault("is wrong", "b", expected="c"), Fault("is wrong", "b", expected="d")]
    error = SourceError.of([wrong[0], *missing(*range(30)), *wrong[1:]])
    assert [fault for fault in error.faults if fault.what == "is wrong"] == wrong
    assert [fault.others for fault in error.faults if fault.others] == [10]


@pytest.mark.parametrize("what", ["the op 'x{}' is unknown", 'the op "x\'{}" is unknown'])
def test_names_in_quotes_make_no_kinds(what: str) -> None:
    assert len(SourceError.of(Fault(what.format(number)) for number in range(100)).faults) == 20


def test_errors_that_become_one_are_counted_together() -> None:
    errors = [SourceError.of(missing(*range(count))) for count in (30, 5, 100)]
    error = SourceError.of(fault.inside(f"model {index}") for index, each in enumerate(errors) for fault in each.faults)
    assert len(error.faults) == 20
    assert error.faults[-1].others == 30 + 5 + 100 - 20
    assert error.faults[-1].where == "model 0: file 19"


def test_errors_together_are_of_the_kind_that_ends_with_the_lowest_status() -> None:
    lost, wrong = ConversionError("lost"), ManifestError("wrong")
    lost.origin = "Traceback of a worker\n"
    error = together([lost, wrong])
    assert type(error) is ManifestError
    assert [fault.what for fault in error.faults] == ["lost", "wrong"]
    assert error.trace == "Traceback of a worker\n\nbundler.errors.ManifestError: wrong\n"


def test_the_count_of_others_crosses_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(SourceError.of(missing(*range(30)))))
    assert error.faults[-1].others == 10


def test_among_many_names_those_of_the_same_ends_are_compared() -> None:
    known = [f"{number:05}/some/quite/long/name/of/a/node" for number in range(50_000)]
    started = time.process_time()
    assert closest("49999/some/quite/long/nome/of/a/node", known) == f"did you mean '{known[-1]}'?"
    assert time.process_time() - started < 2


@pytest.mark.parametrize("name", ["a" * 100_000, "ab" * 50])
def test_names_that_are_hard_to_compare_take_a_moment(name: str) -> None:
    started = time.process_time()
    closest(name, [("a" * (number % 50) + "ba" * 50)[:100] for number in range(10_000)] + ["a" * 100_000])
    assert time.process_time() - started < 2
