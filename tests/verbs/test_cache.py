"""`bundler cache`: what the cache holds, and what `clean` removes and keeps."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from bundler import sources
from bundler.cli import main
from bundler.disk.cache import Cache
from bundler.disk.locks import in_use
from bundler.errors import BundlerError
from bundler.verbs.cache import clean, held

DAY = 24 * 60 * 60


def filling(size: int) -> Callable[[Path], object]:
    return lambda folder: (folder / "weights.bin").write_bytes(bytes(range(256)) * (size // 256))


@pytest.fixture
def filled(cache: Path) -> Cache:
    """A cache with two packages, one under two names, and an answer of TensorFlow."""
    made = Cache(cache)
    made.get("npm:old@1.0.0", filling(512))
    for key in ("npm:new@2.0.0", "https://example.org/new.zip"):
        made.get(key, filling(1024))
    made.get("shapes 0123", lambda folder: (folder / "shapes.json").write_text("[]"))
    return made


def used(cache: Cache, key: str, days_ago: float) -> None:
    index = Path(f"{cache.get(key, lambda _: None)}.json")
    os.utime(index, times=(time.time() - days_ago * DAY,) * 2)


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_it_holds_objects_each_with_its_sources_the_largest_first(filled: Cache) -> None:
    assert [(each.sources, each.bytes) for each in held(filled.folder)] == [
        (("https://example.org/new.zip", "npm:new@2.0.0"), 1024),
        (("npm:old@1.0.0",), 512),
        (("shapes 0123",), 2),
    ]


def test_clean_removes_everything_and_the_next_run_fetches_again(filled: Cache) -> None:
    removed, kept = clean(filled.folder)
    assert (sum(each.bytes for each in removed), kept) == (1538, ())
    assert files(filled.folder) == []
    assert not filled.has("npm:new@2.0.0")
    assert (filled.get("npm:new@2.0.0", filling(256)) / "weights.bin").stat().st_size == 256


def test_clean_of_what_is_older_keeps_what_was_used_since(filled: Cache) -> None:
    for key in ("npm:old@1.0.0", "npm:new@2.0.0", "shapes 0123"):
        used(filled, key, days_ago=31)
    assert filled.has("npm:new@2.0.0")  # this is a use
    removed, kept = clean(filled.folder, days=30)
    assert [each.sources for each in removed] == [("npm:old@1.0.0",), ("shapes 0123",)]
    assert [each.bytes for each in kept] == [1024]
    assert filled.has("npm:new@2.0.0") and filled.has("https://example.org/new.zip")
    assert not filled.has("npm:old@1.0.0")
    assert clean(filled.folder, days=30) == ((), held(filled.folder))


def test_clean_removes_what_a_killed_run_left_and_no_file_of_others(filled: Cache) -> None:
    (filled.folder / ".fetch.01234567.part").mkdir()
    kept = [".fetch.mine", "objects/notes.txt", "sources/mine.json", "photo.jpg"]
    for name in kept:
        (filled.folder / name).write_text("mine")
    (filled.folder / "objects" / ("0" * 63)).mkdir()
    clean(filled.folder)
    assert files(filled.folder) == sorted(kept)
    assert not (filled.folder / ".fetch.01234567.part").exists()
    assert (filled.folder / "objects" / ("0" * 63)).is_dir()


def test_a_spoilt_record_is_removed_and_points_nowhere_else(filled: Cache, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    record = filled.folder / "sources" / f"{'a' * 64}.json"
    for text in ("{", '{"source": "x", "object": "../../mine"}', "[" * 100_000):
        record.write_text(text)
        clean(filled.folder)
        assert not record.exists()
    assert (tmp_path / "mine").is_dir()


def test_a_cache_that_is_not_there_is_empty(cache: Path) -> None:
    assert held(cache) == ()
    assert clean(cache) == ((), ())
    assert not cache.exists()


def _use(folder: Path, began: object, ends: object) -> None:
    with in_use(folder):
        began.set()  # type: ignore[attr-defined]
        ends.wait()  # type: ignore[attr-defined]


def test_while_a_run_uses_the_cache_nothing_is_removed(filled: Cache) -> None:
    context = multiprocessing.get_context("fork")
    began, ends = context.Event(), context.Event()
    run = context.Process(target=_use, args=(filled.folder, began, ends))
    run.start()
    began.wait()
    before = files(filled.folder)
    with pytest.raises(BundlerError, match="another run of bundler uses the cache"):
        clean(filled.folder)
    assert files(filled.folder) == before
    run.kill()
    run.join()
    assert len(clean(filled.folder).removed) == 3


def test_every_verb_that_fetches_uses_the_cache_until_it_ends(filled: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUNDLER_CACHE", str(filled.folder))

    @sources.fetching_damaged_again
    def verb() -> None:
        clean()

    with pytest.raises(BundlerError, match="another run of bundler uses the cache"):
        verb()
    assert len(clean().removed) == 3


def test_the_command_line_says_what_is_there_and_what_was_freed(filled: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUNDLER_CACHE", str(filled.folder))

    def shown(*words: str) -> str:
        done = CliRunner().invoke(main, ["cache", *words])
        assert (done.exit_code, done.stderr) == (0, "")
        return done.stdout.replace(str(filled.folder), "CACHE")

    used(filled, "npm:old@1.0.0", days_ago=40)
    assert shown("dir") == "CACHE\n"
    assert shown("size") == "CACHE: 3 objects, 1.5 kB\n"
    assert shown("size", "-v") == (
        "  1.0 kB     0 d  https://example.org/new.zip, npm:new@2.0.0\n"
        "   512 B    40 d  npm:old@1.0.0\n"
        "     2 B          answers of TensorFlow: 1\n"
        "CACHE: 3 objects, 1.5 kB\n"
    )
    document = json.loads(shown("size", "--json"))
    assert (document["count"], document["bytes"], len(document["objects"])) == (3, 1538, 3)
    assert shown("clean", "--older", "30") == "CACHE: removed 1 object, 512 B, kept 2 objects, 1.0 kB\n"
    assert json.loads(shown("clean", "--json")) == {
        "folder": "CACHE",
        "removed": {"count": 2, "bytes": 1026},
        "kept": {"count": 0, "bytes": 0},
    }
    assert shown("clean") == "CACHE: removed nothing\n"
