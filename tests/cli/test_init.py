"""`bundler init` from outside: where the manifest goes, and how a run ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bundler import manifest
from bundler.cli import main
from tests.support.places import MANIFESTS
from tests.verbs.test_init import write_pets, write_unknown

DIGITS = str(MANIFESTS / "models" / "digits")


def init(*arguments: object) -> Result:
    ended = CliRunner().invoke(main, ["init", *map(str, arguments)])
    if ended.exception and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("output", [(), ("-o", "-")])
def test_a_manifest_goes_to_standard_output_by_default(output: tuple[str, ...], here: Path) -> None:
    ended = init(DIGITS, *output)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert manifest.parsed(ended.stdout, here / "x.toml").models[0].name == "digits"
    assert list(here.iterdir()) == []


def test_a_file_is_written_and_its_name_is_that_of_the_bundle(here: Path) -> None:
    ended = init(DIGITS, "-o", "pets.toml")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "pets.toml: 1 model\n", "")
    assert manifest.read(here / "pets.toml").bundle.name == "pets"
    assert [path.name for path in here.iterdir()] == ["pets.toml"]


def test_quiet_is_quiet() -> None:
    assert init(DIGITS, "-q", "-o", "pets.toml").output == ""


def test_an_existing_file_stays_unless_forced(here: Path) -> None:
    (here / "pets.toml").write_text("mine")
    ended = init(DIGITS, "-o", "pets.toml")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (
        1,
        "",
        "error: pets.toml: there is such a file\nhint: name another file, or replace this one with --force\n",
    )
    assert (here / "pets.toml").read_text() == "mine"
    assert init(DIGITS, "-o", "pets.toml", "--force").exit_code == 0
    assert manifest.read(here / "pets.toml").models


def test_a_model_is_never_replaced(here: Path) -> None:
    path = write_pets(here / "pets")
    before = path.read_bytes()
    ended = init("pets", "-o", "pets/model.json", "--force")
    assert (ended.exit_code, path.read_bytes()) == (1, before)
    assert "the output would replace one of its own inputs" in ended.stderr


def test_a_model_that_is_left_out_is_the_exit_status(here: Path) -> None:
    write_pets(here / "models" / "pets")
    write_unknown(here / "models" / "odd")
    ended = init("models", "-o", "zoo.toml")
    assert (ended.exit_code, ended.stdout) == (5, "zoo.toml: 1 model, 1 left out\n")
    assert ended.stderr.startswith(
        r"error: model 'odd': model.json: node 'y\n[bundle]': op 'WriteFile' is not one that TensorFlow.js runs"
    )
    assert [model.name for model in manifest.read(here / "zoo.toml").models] == ["pets"]


def test_a_run_that_fails_writes_nothing(here: Path) -> None:
    write_unknown(here / "odd")
    for sources, status in (("odd", 5), ("nothing", 4)):
        assert init(sources, "-o", "zoo.toml").exit_code == status
        assert not (here / "zoo.toml").exists()


def test_models_are_chosen_by_name(here: Path) -> None:
    assert init(MANIFESTS / "models", "--only", "edges", "--only", "d*", "--name", "two", "-o", "x.toml").exit_code == 0
    written = manifest.read(here / "x.toml")
    assert (written.bundle.name, [model.name for model in written.models]) == ("two", ["digits", "edges"])


def test_help_has_examples() -> None:
    shown = init("--help").stdout
    assert "bundler init npm:@vladmandic/human -o human.toml" in shown
    assert init().exit_code == 2


@pytest.mark.parametrize("output", ["", "zoo.toml"])
def test_json_is_one_document_with_the_manifest_its_report_and_what_is_left_out(output: str, here: Path) -> None:
    write_pets(here / "models" / "pets")
    write_unknown(here / "models" / "odd")
    ended = init("models", "--json", *(["-o", output] if output else []))
    document = json.loads(ended.stdout)
    assert (ended.exit_code, list(document)) == (5, ["file", "manifest", "report", "left_out"])
    assert document["file"] == (output or None)
    assert [model.name for model in manifest.parsed(document["manifest"], here / "x.toml").models] == ["pets"]
    assert [model["name"] for model in document["report"]["models"]] == ["pets"]
    assert [error["exit_status"] for error in document["left_out"]] == [5]
    assert not output or (here / output).read_text() == document["manifest"]


def test_a_run_that_fails_is_one_document_too(here: Path) -> None:
    ended = init("gone", "--json")
    assert (ended.exit_code, json.loads(ended.stdout)["exit_status"]) == (4, 4)
