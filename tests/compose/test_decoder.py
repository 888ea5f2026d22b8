"""`bundler verify` decodes images in Node.js by a package that it fetches; without it such signatures are unchecked."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import pytest

import bundler
from bundler.comparison.references import decoder
from bundler.disk.cache import Cache
from bundler.report.verification import SignatureVerdict
from tests.compose.test_compose import EMOTIONS, OPEN, built


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Cache:
    """A cache that has TensorFlow.js, and no decoder."""
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "cache"))
    request.getfixturevalue("cached_tensorflowjs")
    return Cache(tmp_path / "cache")


def verified(folder: Path, *, offline: bool = True) -> SignatureVerdict:
    """The verdict on a signature that decodes images. Others agree."""
    built(folder, EMOTIONS + OPEN)
    found = bundler.verify(folder / "faces.toml", output=folder / "out", offline=offline).signatures
    assert {each.verdict for each in found if each.key != "emotions"} == {"ok"}
    return found["emotions"]


def test_a_decoder_in_the_cache_decodes(own_cache: Cache, tmp_path: Path, tensorflowjs_modules: Path) -> None:
    scope = tensorflowjs_modules / "@napi-rs"
    own_cache.get(decoder.key(), lambda folder: shutil.copytree(scope, folder / "node_modules" / "@napi-rs"))
    assert verified(tmp_path).verdict == "ok"


def test_a_run_that_is_offline_has_no_decoder_if_the_cache_has_none(own_cache: Cache, tmp_path: Path) -> None:
    found = verified(tmp_path)
    assert (found.verdict, found.why) == (
        "unchecked",
        f"TensorFlow.js has no decoder for images here: {decoder.key()}: is not in the cache, and this run is offline",
    )


def test_a_machine_that_the_decoder_does_not_know_has_none(
    own_cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "s390x")
    found = verified(tmp_path, offline=False)
    assert found.verdict == "unchecked"
    assert found.why.endswith("there is no @napi-rs/canvas for this machine (found linux s390x)")


def test_signatures_without_images_need_no_decoder(
    own_cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder.npm, "modules", lambda *_: pytest.fail("it is asked for"))
    built(tmp_path, OPEN)
    assert bundler.verify(tmp_path / "faces.toml", output=tmp_path / "out").signatures["open"].verdict == "ok"


@pytest.mark.network
@pytest.mark.slow
def test_npm_fetches_the_decoder_once(own_cache: Cache, tmp_path: Path) -> None:
    assert verified(tmp_path, offline=False).verdict == "ok"
    assert own_cache.has(decoder.key())
    assert verified(tmp_path).verdict == "ok"
