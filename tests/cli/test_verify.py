"""`bundler verify` on the command line: what it prints, and its exit status."""

from __future__ import annotations

import json
import re
import shutil
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


SHOP = """\
[bundle]
name = "shop"
version = 1

[[model]]
name = "digits"
source = "digits"

[[check]]
signature = "serving_default"
file = "golden.npz"
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The manifest of a bundle with a check, whose file is not there yet. Its version 7 is built."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(MANIFESTS / "models" / "digits", "digits")
    path = Path("shop.toml")
    path.write_text(SHOP)
    bundler.build(path, check=False, release_version=7)
    return path


def golden(shop: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["verify", str(shop), "--against", "golden", *options])


FIRST = """\
unchecked  serving_default        –
           there was no record to compare with: its outputs are recorded now

recorded  golden.npz
dist/shop/7 against the recorded outputs: 1 unchecked; T s
"""
SECOND = """\
ok         serving_default    equal  probabilities

dist/shop/7 against the recorded outputs: 1 ok; largest error equal; T s
"""


def test_the_first_recording_succeeds_and_what_follows_is_compared_with_it(shop: Path) -> None:
    ended = [golden(shop, "--release-version", "7", *options) for options in ([], ["--record"], [])]
    assert [each.exit_code for each in ended] == [6, 0, 0]
    assert ended[0].stderr.startswith("error: no signature could be compared (found no outputs are recorded for it: ")
    assert [re.sub(r"\d+\.\d s", "T s", each.stdout) for each in ended[1:]] == [FIRST, SECOND]


def test_a_version_that_is_not_built_is_an_error_and_a_bundle_has_no_other_one(shop: Path) -> None:
    assert golden(shop).stderr.startswith("error: dist/shop/1: the bundle is not built\n")
    done = CliRunner().invoke(main, ["verify", "dist/shop/7", "--release-version", "7"])
    assert (done.exit_code, done.stderr) == (
        1,
        "error: dist/shop/7: a release version is that of a manifest's bundle\n",
    )
