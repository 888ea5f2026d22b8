"""`bundler verify` on the command line: what it prints, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bundler
from bundler.cli import main
from tests.support.broken import changed
from tests.support.places import MANIFESTS

WEIGHT = "digits/StatefulPartitionedCall/digits/hidden/kernel"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle, and another whose weights differ."""
    folder = tmp_path_factory.mktemp("bundles")
    bundler.build(MANIFESTS / "tiny.toml", output=folder / "tiny", check=False)
    changed(folder / "tiny", folder / "changed", WEIGHT, by=3)
    return folder


def verify(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify", str(folder / "changed"), "--against", str(folder / "tiny"), *arguments])


def test_what_is_wrong_is_a_line_and_an_error_and_status_6(bundles: Path) -> None:
    done = verify(bundles)
    assert done.exit_code == 6
    assert done.stdout.startswith("wrong      serving_default  ")
    assert "\nok         moments            equal  is_outlier\n" in done.stdout
    assert f"{bundles}/changed against {bundles}/tiny: 3 ok, 1 wrong; largest error equal; " in done.stdout
    assert "error: signature 'serving_default' of model 'digits': output 'probabilities': differs from " in done.stderr


def test_json_is_one_document_also_if_something_is_wrong(bundles: Path) -> None:
    done = verify(bundles, "--json")
    assert done.exit_code == 6
    document = json.loads(done.stdout)
    assert document["ok"] is False
    assert [each["verdict"] for each in document["signatures"]] == ["wrong", "ok", "ok", "ok"]


def test_quiet_prints_what_is_wrong_alone(bundles: Path) -> None:
    done = verify(bundles, "--quiet")
    assert (done.exit_code, done.stdout) == (6, "")
    assert done.stderr.count("\n") == 1


def test_a_bundle_that_is_not_built_is_an_error_that_names_the_command(tmp_path: Path) -> None:
    path = MANIFESTS / "tiny.toml"
    done = CliRunner().invoke(main, ["verify", str(path), "-o", str(tmp_path / "none"), "--json"])
    (fault,) = json.loads(done.stdout)["faults"]
    assert (done.exit_code, fault["what"], fault["hint"]) == (1, "the bundle is not built", f"bundler build {path}")
