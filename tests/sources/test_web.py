from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from bundler import sources
from bundler.artifacts import artifact
from bundler.errors import SourceError
from tests.support.models import placeholder, write_early, write_model


class Heard:
    """A Progress that records its calls."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int | None, int]] = []

    def start(self, what: str, size: int | None = None, *, count: int | None = None) -> None:
        self._step = (what, size, 0)

    def advance(self, amount: int = 1) -> None:
        what, total, done = self._step
        self._step = (what, total, done + amount)

    def finish(self) -> None:
        self.steps.append(self._step)


@pytest.fixture
def published(digits: Path, server):
    """The server, with the model at /models/digits/."""
    shutil.copytree(digits, server.folder / "models" / "digits")
    return server


def test_a_model_on_the_web_is_the_model(digits: Path, published, cache: Path, tmp_path: Path) -> None:
    heard = Heard()
    found = sources.fetch(f"{published.url}/models/digits/model.json", tmp_path, cache=cache, progress=heard)
    assert found.digest == artifact.open(digits).digest
    assert heard.steps == [
        (f"{published.url}/models/digits/{name}", (digits / name).stat().st_size, (digits / name).stat().st_size)
        for name in found.files
    ]


def test_a_page_in_place_of_a_shard_says_so_however_large_it_is(published, cache: Path, tmp_path: Path) -> None:
    entry = published.folder / "models" / "digits" / "model.json"
    entry.write_text(entry.read_text().replace("group1-shard1of2.bin", "shard.html"))
    entry.with_name("shard.html").write_text("<!DOCTYPE html>" + " " * 10_000_000)
    source = f"{published.url}/models/digits/model.json"
    with pytest.raises(SourceError) as caught:
        sources.fetch(source, tmp_path, cache=cache)
    assert str(caught.value) == f"{source}: {published.url}/models/digits/shard.html is a page of HTML"


def test_a_page_in_place_of_a_model_says_so_by_its_name(published, cache: Path, tmp_path: Path) -> None:
    (published.folder / "models" / "digits" / "model.json").write_text("<html>")
    source = f"{published.url}/models/digits/model.json"
    with pytest.raises(SourceError) as caught:
        sources.fetch(source, tmp_path, cache=cache)
    assert str(caught.value) == f"{source}: model.json: is a page of HTML"


def test_a_model_from_before_1_0_is_fetched_by_its_graph(server, cache: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "new", [placeholder("x")], {"w": np.ones(2, np.float32)})
    early = write_early(model, server.folder / "early", "web_model.pb")
    found = sources.fetch(f"{server.url}/early/web_model.pb", tmp_path, cache=cache)
    assert (found.entry, found.digest) == ("web_model.pb", artifact.open(early).digest)


def test_what_was_fetched_needs_no_network_again(published, cache: Path, tmp_path: Path) -> None:
    source = f"{published.url}/models/digits/model.json"
    first = sources.fetch(source, tmp_path, cache=cache)
    published.asked.clear()
    assert sources.fetch(source, tmp_path, cache=cache) == first
    assert not published.asked


def test_a_query_of_the_model_is_not_handed_on_to_its_shards(published, cache: Path, tmp_path: Path) -> None:
    sources.fetch(f"{published.url}/models/digits/model.json?token=1", tmp_path, cache=cache)
    assert published.asked == [
        "/models/digits/model.json?token=1",
        "/models/digits/group1-shard1of2.bin",
        "/models/digits/group1-shard2of2.bin",
    ]


def test_a_shards_name_is_quoted(published, cache: Path, tmp_path: Path) -> None:
    folder = published.folder / "models" / "digits"
    (folder / "my weights#1.bin").write_bytes(b"1234")
    (folder / "model.json").write_text(json.dumps({"weightsManifest": [{"paths": ["my weights#1.bin"]}]}))
    found = sources.fetch(f"{published.url}/models/digits/model.json", tmp_path, cache=cache)
    assert found.path("my weights#1.bin").read_bytes() == b"1234"


@pytest.mark.parametrize("inside", ["", "#digits", "#digits/model.json"])
def test_an_archive_on_the_web_is_fetched_and_unpacked(
    digits: Path, server, cache: Path, tmp_path: Path, inside: str
) -> None:
    with tarfile.open(server.folder / "models.tar.gz", "w:gz") as made:
        made.add(digits, "digits")
    found = sources.fetch(f"{server.url}/models.tar.gz{inside}", tmp_path, cache=cache)
    assert found.digest == artifact.open(digits).digest


def test_a_hostile_model_on_the_web_writes_nothing_outside(server, cache: Path, tmp_path: Path) -> None:
    (server.folder / "model.json").write_text(json.dumps({"weightsManifest": [{"paths": ["../../evil"]}]}))
    with pytest.raises(SourceError, match="a shard's path is not safe"):
        sources.fetch(f"{server.url}/model.json", tmp_path, cache=cache)
    assert server.asked == ["/model.json"]


@pytest.mark.parametrize(
    ("path", "found", "hint"),
    [
        ("/nowhere/model.json", "404", "is it the model's?"),
        ("/short/model.json", "2 bytes of 1000", "try again"),
        ("/elsewhere/model.json", "http://", "use https://"),
        ("/model.bin", "'model.bin'", ""),
        ("/", "''", ""),
    ],
)
def test_what_cannot_be_fetched_is_an_error_that_says_why(
    server, cache: Path, tmp_path: Path, path: str, found: str, hint: str
) -> None:
    with pytest.raises(SourceError) as caught:
        sources.fetch(server.url + path, tmp_path, cache=cache)
    (fault,) = caught.value.faults
    assert fault.where == server.url + path
    assert found in fault.found
    assert hint in fault.hint


def test_a_missing_shard_leaves_nothing_in_the_cache_that_counts(published, cache: Path, tmp_path: Path) -> None:
    (published.folder / "models" / "digits" / "group1-shard2of2.bin").rename(published.folder / "kept")
    source = f"{published.url}/models/digits/model.json"
    with pytest.raises(SourceError, match=r"cannot fetch .*/group1-shard2of2\.bin \(found 404"):
        sources.fetch(source, tmp_path, cache=cache)
    assert not [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"]
    (published.folder / "kept").rename(published.folder / "models" / "digits" / "group1-shard2of2.bin")
    assert sources.fetch(source, tmp_path, cache=cache).files


def test_a_server_that_is_not_there_is_an_error(server, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot fetch .*refused") as caught:
        sources.fetch("http://127.0.0.1:9/model.json", tmp_path, cache=cache)
    assert "online" in caught.value.faults[0].hint


@pytest.mark.parametrize("source", ["http://example.invalid/model.json", "http://127.0.0.1.example.invalid/model.json"])
def test_plain_http_is_refused(cache: Path, tmp_path: Path, source: str) -> None:
    with pytest.raises(SourceError, match="over plain HTTP can be changed") as caught:
        sources.fetch(source, tmp_path, cache=cache)
    assert caught.value.faults[0].hint == "use https://"


def test_an_address_that_is_none_is_an_error(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no address"):
        sources.fetch("https://[x/model.json", tmp_path, cache=cache)
