"""npm itself runs here, against a registry on this machine; a stand-in only says what npm says when it fails."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from bundler import sources
from bundler.artifacts import artifact
from bundler.disk.cache import Cache, Damaged
from bundler.disk.digest import integrity
from bundler.errors import SourceError
from bundler.progress import SILENT
from bundler.sources import limits, npm


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
    ("package", "found", "hint"),
    [
        ("@tiny/digits@9.9.9", "no matching version found for @tiny/digits@9.9.9", "`npm view @tiny/digits versions`"),
        ("@tiny/nothing@1.0.0", "not found - get", "is the name right? `npm view @tiny/nothing`"),
    ],
)
def test_a_package_that_is_not_there_is_an_error_in_npms_words(
    registry, cache: Path, tmp_path: Path, package: str, found: str, hint: str
) -> None:
    with pytest.raises(SourceError, match="npm cannot fetch the package") as caught:
        sources.fetch(f"npm:{package}/model", tmp_path, cache=cache)
    (fault,) = caught.value.faults
    assert fault.where == f"npm:{package}/model"
    assert found in fault.found.lower()
    assert fault.hint.startswith(hint)


def integrity_of(registry) -> str:
    return integrity(registry.folder / "digits-1.0.0.tgz")


def test_modules_of_a_known_integrity_lie_together_and_need_npm_once(
    registry, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = {"npm:@tiny/digits@1.0.0": integrity_of(registry)}
    first = npm.modules("digits", packages, tmp_path, Cache(cache), SILENT)
    assert (first / "@tiny" / "digits" / "package.json").is_file()
    monkeypatch.setenv("PATH", "")
    assert npm.modules("digits", packages, tmp_path, Cache(cache), SILENT) == first
    changed = first / "@tiny" / "digits" / "package.json"
    changed.write_bytes(b"x" * changed.stat().st_size)
    with pytest.raises(Damaged):
        npm.modules("digits", packages, tmp_path, Cache(cache), SILENT)


def test_a_module_of_another_integrity_is_not_unpacked(
    registry, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npm.archive, "unpack", lambda *_: pytest.fail("it is unpacked"))
    with pytest.raises(SourceError, match="npm gave another package than expected") as caught:
        npm.modules("digits", {"npm:@tiny/digits@1.0.0": "sha512-AAAA"}, tmp_path, Cache(cache), SILENT)
    (fault,) = caught.value.faults
    assert (fault.where, fault.found) == ("digits: @tiny/digits@1.0.0", integrity_of(registry))
    assert not Cache(cache).has("digits")


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


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """An `npm` that is a script; `$5` is the folder for the package."""
    npm = folder / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("true", "0 files"),
        ("touch $5/a.txt; mkdir $5/b.tgz; mkfifo $5/c.tgz", "0 files"),
        ("touch $5/a.tgz $5/b.tgz", "2 files"),
    ],
)
def test_an_npm_that_gives_no_package_is_an_error(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: str
) -> None:
    stand_in(tmp_path, monkeypatch, script)
    with pytest.raises(
        SourceError, match=f"npm ended well, but gave no package \\(found {found}, expected one .tgz file"
    ):
        sources.fetch("npm:digits@1.0.0/model", tmp_path, cache=cache)


def test_a_package_has_the_limits_of_archives(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "head -c 20000 /dev/zero > $5/a.tgz")
    monkeypatch.setattr(limits, "MAX_BYTES", 10_000)
    with pytest.raises(SourceError, match="the archive is too large"):
        sources.fetch("npm:digits@1.0.0/model", tmp_path, cache=cache)


@pytest.mark.parametrize("script", ["yes | head -c 50000000; exit 1", "yes | head -c 50000000 >&2; exit 1"])
def test_what_npm_says_is_read_in_part(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    stand_in(tmp_path, monkeypatch, script)
    tracemalloc.start()
    with pytest.raises(SourceError, match="npm cannot fetch the package") as caught:
        sources.fetch("npm:digits@1.0.0/model", tmp_path, cache=cache)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("version", ["1.0.0", "9" * 5000 + ".0.0"])
def test_an_npm_that_cannot_be_run_is_an_error(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    stand_in(tmp_path, monkeypatch, "")
    (tmp_path / "npm").write_text("#!/no/such/program\n")
    with pytest.raises(SourceError, match="npm cannot be run"):
        sources.fetch(f"npm:digits@{version}/model", tmp_path, cache=cache)


@pytest.mark.network
def test_a_model_comes_from_the_users_own_registry(cache: Path, tmp_path: Path) -> None:
    found = sources.fetch("npm:@spotify/basic-pitch@1.0.1/model/model.json", tmp_path, cache=cache)
    assert found.files == ("model.json", "group1-shard1of1.bin")
    assert found.path("group1-shard1of1.bin").stat().st_size == 742392
