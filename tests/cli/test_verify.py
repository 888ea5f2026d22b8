"""`bundler verify` on the command line: what it prints, and its exit status."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
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


NODE = "hint: TensorFlow.js runs in Node.js 18 or later: install it\n"
NPM = "hint: it fetches TensorFlow.js, once: install it, or name a folder that has the package with --tfjs\n"
FETCHED = "npm:@tensorflow/tfjs@4.22.0/dist/tf.min.js"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have no other programs than these, and an empty cache."""

    def have(*names: str) -> None:
        folder = tmp_path / "programs"
        folder.mkdir()
        for name in names:
            (folder / name).symlink_to(shutil.which(name) or name)
        monkeypatch.setenv("PATH", str(folder))
        monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "empty"))

    return have


@pytest.mark.parametrize(
    ("present", "options", "status", "said"),
    [
        ([], [], 1, f"error: Node.js is not installed\n{NODE}"),
        ([], ["--against", "tfjs"], 1, f"error: Node.js is not installed\n{NODE}"),
        (["node"], [], 1, f"error: npm is not installed\n{NPM}"),
        (["node", "npm"], ["--offline"], 4, f"error: {FETCHED}: is not in the cache, and this run is offline\n"),
    ],
)
def test_a_program_that_is_missing_is_named(
    present: list[str], options: list[str], status: int, said: str, shop: Path, programs: Callable[..., None]
) -> None:
    programs(*present)
    done = CliRunner().invoke(main, ["verify", "dist/shop/7", *options])
    assert (done.exit_code, done.stderr.startswith(said)) == (status, True)


@pytest.mark.parametrize(("present", "missing"), [([], "Node.js"), (["node"], "npm")])
def test_without_node_recorded_outputs_are_compared_if_there_are_such(
    present: list[str], missing: str, shop: Path, programs: Callable[..., None]
) -> None:
    programs(*present)
    done = CliRunner().invoke(main, ["verify", "shop.toml", "--release-version", "7", "--record"])
    assert (done.exit_code, re.sub(r"\d+\.\d s", "T s", done.stdout)) == (0, FIRST)
    assert done.stderr == f"note: {missing} is not installed: outputs are compared with recorded ones\n"


def test_npm_is_not_needed_once_it_has_fetched_tensorflowjs(
    shop: Path, tensorflowjs_modules: Path, programs: Callable[..., None], request: pytest.FixtureRequest
) -> None:
    programs("node")
    request.getfixturevalue("cached_tensorflowjs")
    done = CliRunner().invoke(main, ["verify", "shop.toml", "--release-version", "7", "--offline"])
    assert (done.exit_code, " against TensorFlow.js " in done.stdout, done.stderr) == (0, True, "")
