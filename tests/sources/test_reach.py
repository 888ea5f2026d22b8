"""How far a run goes: to the cache alone, or to the servers again."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from bundler import sources
from bundler.artifacts import artifact
from bundler.disk.cache import Cache
from bundler.disk.reach import Reach
from bundler.errors import BundlerError, SourceError
from tests.sources.conftest import Server

NPM = "npm:@tiny/digits@1.0.0/model"


@pytest.fixture
def published(digits: Path, server: Server) -> Server:
    """The server, with the model at /digits/, an hour old."""
    shutil.copytree(digits, server.folder / "digits")
    for path in (server.folder / "digits").iterdir():
        os.utime(path, (time.time() - 3600,) * 2)
    return server


def asked_by(site: Server) -> list[tuple[str, int]]:
    """Path and status of each answer since the last call."""
    answers, site.answers = site.answers, []
    return answers


# Offline -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["web", "npm"])
def test_an_offline_run_takes_what_is_kept_and_asks_no_server(
    kind: str, registry: Server, published: Server, cache: Path, tmp_path: Path
) -> None:
    source = NPM if kind == "npm" else f"{published.url}/digits/model.json"
    first = sources.find(source, tmp_path, cache=cache)
    published.asked.clear()
    assert sources.find(source, tmp_path, cache=cache, reach=Reach(offline=True)) == first
    assert published.asked == []


@pytest.mark.parametrize("source", [NPM, "https://models.invalid/digits/model.json", "https://models.invalid/a.zip#m"])
def test_an_offline_run_refuses_what_is_not_kept_before_npm_or_a_server_is_asked(
    source: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SourceError) as caught:
        sources.find(source, tmp_path, cache=cache, reach=Reach(offline=True))
    assert str(caught.value) == f"{source}: is not in the cache, and this run is offline"
    assert "without --offline" in caught.value.faults[0].hint


def test_an_offline_run_unpacks_the_users_own_archive(digits: Path, cache: Path, tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "models"), "zip", digits)
    assert sources.find("models.zip", tmp_path, cache=cache, reach=Reach(offline=True)).name == "model.json"


def test_a_damaged_copy_is_named_as_such(published: Server, cache: Path, tmp_path: Path) -> None:
    source = f"{published.url}/digits/model.json"
    sources.find(source, tmp_path, cache=cache).write_text("")
    with pytest.raises(SourceError, match="is damaged in the cache, and this run is offline"):
        sources.find(source, tmp_path, cache=cache, reach=Reach(offline=True))


def test_offline_and_refresh_exclude_each_other() -> None:
    with pytest.raises(BundlerError, match="a run that is offline cannot refresh its sources"):
        Reach(offline=True, refresh=True)


# Refresh -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("validator", ["ETag", "Last-Modified"])
def test_files_that_have_not_changed_are_not_sent_again(
    validator: str, digits: Path, published: Server, cache: Path, tmp_path: Path
) -> None:
    published.validators = (validator,)
    source = f"{published.url}/digits/model.json"
    first = sources.find(source, tmp_path, cache=cache)
    names = ["/digits/model.json", "/digits/group1-shard1of2.bin", "/digits/group1-shard2of2.bin"]
    assert asked_by(published) == [(name, 200) for name in names]
    for _ in range(2):  # the validators of the first fetch serve the second refresh, too
        assert sources.find(source, tmp_path, cache=cache, reach=Reach(refresh=True)) == first
        assert asked_by(published) == [(name, 304) for name in names]
    assert sources.fetch(source, tmp_path, cache=cache).digest == artifact.open(digits).digest


@pytest.mark.parametrize("validator", ["ETag", "Last-Modified"])
def test_a_shard_that_has_changed_is_the_only_one_that_is_sent(
    validator: str, published: Server, cache: Path, tmp_path: Path
) -> None:
    published.validators = (validator,)
    source = f"{published.url}/digits/model.json"
    first = sources.find(source, tmp_path, cache=cache)
    shard = published.folder / "digits" / "group1-shard2of2.bin"
    shard.write_bytes(shard.read_bytes()[::-1])
    asked_by(published)
    second = sources.find(source, tmp_path, cache=cache, reach=Reach(refresh=True))
    assert [status for _, status in asked_by(published)] == [304, 304, 200]
    assert second != first
    assert second.with_name(shard.name).read_bytes() == shard.read_bytes()
    assert sources.find(source, tmp_path, cache=cache) == second


def test_a_server_without_validators_sends_everything_again(published: Server, cache: Path, tmp_path: Path) -> None:
    published.validators = ()
    source = f"{published.url}/digits/model.json"
    first = sources.find(source, tmp_path, cache=cache)
    asked_by(published)
    assert sources.find(source, tmp_path, cache=cache, reach=Reach(refresh=True)) == first
    assert [status for _, status in asked_by(published)] == [200, 200, 200]


def test_a_copy_that_is_damaged_is_never_taken_for_the_servers(
    digits: Path, published: Server, cache: Path, tmp_path: Path
) -> None:
    source = f"{published.url}/digits/model.json"
    shard = sources.find(source, tmp_path, cache=cache).with_name("group1-shard2of2.bin")
    shard.write_bytes(b"\1" * shard.stat().st_size)
    asked_by(published)
    found = sources.find(source, tmp_path, cache=cache, reach=Reach(refresh=True))
    assert [status for _, status in asked_by(published)] == [200, 200, 200]
    assert artifact.open(found).digest == artifact.open(digits).digest


def test_an_archive_that_has_not_changed_is_not_sent_again(
    digits: Path, published: Server, cache: Path, tmp_path: Path
) -> None:
    shutil.make_archive(str(published.folder / "models"), "zip", digits)
    source = f"{published.url}/models.zip"
    first = sources.find(source, tmp_path, cache=cache)
    assert sources.find(source, tmp_path, cache=cache, reach=Reach(refresh=True)) == first
    assert asked_by(published) == [("/models.zip", 200), ("/models.zip", 304)]
    assert Cache(cache).kept(source).facts["integrity"].startswith("sha512-")


def test_a_source_is_asked_for_once_in_a_run(published: Server, cache: Path, tmp_path: Path) -> None:
    reach = Reach(refresh=True)
    for _ in range(3):
        sources.find(f"{published.url}/digits/model.json", tmp_path, cache=cache, reach=reach)
    assert len(published.answers) == 3


def test_a_server_that_answers_not_modified_unasked_is_an_error(published: Server, cache: Path, tmp_path: Path) -> None:
    published.always = 304
    with pytest.raises(SourceError, match=r"cannot fetch .* \(found 304 Not Modified\)"):
        sources.find(f"{published.url}/digits/model.json", tmp_path, cache=cache)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "é", "x" * 501, ""])
def test_a_spoilt_validator_is_not_sent(value: str, published: Server, cache: Path, tmp_path: Path) -> None:
    source = f"{published.url}/digits/model.json"
    sources.find(source, tmp_path, cache=cache)
    (record,) = cache.glob("sources/*.json")
    document = json.loads(record.read_text())
    document["facts"] = dict.fromkeys(document["facts"], value)
    record.write_text(json.dumps(document))
    asked_by(published)
    sources.find(source, tmp_path, cache=cache, reach=Reach(refresh=True))
    assert [status for _, status in asked_by(published)] == [200, 200, 200]


def test_npm_asks_its_registry_again(registry: Server, cache: Path, tmp_path: Path) -> None:
    first = sources.find(NPM, tmp_path, cache=cache)
    registry.asked.clear()
    assert sources.find(NPM, tmp_path, cache=cache, reach=Reach(refresh=True)) == first
    assert "/@tiny%2fdigits" in registry.asked


def test_the_integrity_of_a_package_is_that_of_the_registry(registry: Server, cache: Path, tmp_path: Path) -> None:
    sources.find(NPM, tmp_path, cache=cache)
    document = json.loads((registry.folder / "@tiny" / "digits").read_text())
    assert Cache(cache).kept("npm:@tiny/digits@1.0.0").facts == {
        "integrity": document["versions"]["1.0.0"]["dist"]["integrity"]
    }


# By digest -----------------------------------------------------------------------------------------


def test_the_object_that_a_lock_names_is_taken_whatever_the_address_has_now(
    published: Server, cache: Path, tmp_path: Path
) -> None:
    source = f"{published.url}/digits/model.json"
    first = sources.find(source, tmp_path, cache=cache)
    (published.folder / "digits" / "model.json").write_text("{}")
    assert sources.find(source, tmp_path, cache=tmp_path / "other").read_text() == "{}"
    pinned = {source: first.parent.name}
    shutil.rmtree(cache / "sources")
    assert sources.find(source, tmp_path, cache=cache, reach=Reach(offline=True, pinned=pinned)) == first
    assert sources.find(source, tmp_path, cache=cache, reach=Reach(pinned=pinned)) == first
