from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bundler import sources
from bundler.disk.cache import Cache, Damaged, default_folder
from bundler.errors import SourceError
from bundler.progress import SILENT
from tests.support.places import MANIFESTS, ROOT


def write(content: str, count: Path | None = None, wait: float = 0.0):
    """A fill that leaves one file, and a line in `count` for each time it ran."""

    def fill(folder: Path) -> None:
        if count:
            with count.open("a") as file:
                file.write("x\n")
        time.sleep(wait)
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text(content)

    return fill


def never(folder: Path) -> None:
    raise AssertionError("fetched again")


def files_that_count(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_what_was_put_is_got_without_filling(cache: Path) -> None:
    first = Cache(cache).get("a", write("1"))
    assert Cache(cache).get("a", never) == first
    assert (first / "deep" / "file").read_text() == "1"


def test_two_keys_of_one_content_share_the_object(cache: Path) -> None:
    assert Cache(cache).get("a", write("1")) == Cache(cache).get("b", write("1"))
    assert Cache(cache).get("a", never) != Cache(cache).get("c", write("2"))


def test_what_vanished_is_fetched_again(cache: Path) -> None:
    first = Cache(cache).get("a", write("1"))
    shutil.rmtree(first)
    assert Cache(cache).get("a", write("1")) == first
    assert (first / "deep" / "file").read_text() == "1"


@pytest.mark.parametrize("record", ["", "{", "[]", "{}", '{"object": 1}', '{"object": "../.."}', "[" * 100_000])
def test_a_spoilt_record_counts_as_none(cache: Path, record: str) -> None:
    first = Cache(cache).get("a", write("1"))
    next(cache.glob("sources/*.json")).write_text(record)
    assert Cache(cache).get("a", write("1")) == first


@pytest.mark.parametrize("error", [SourceError("no"), KeyboardInterrupt(), ValueError()])
def test_a_fetch_that_is_cut_short_leaves_nothing(cache: Path, error: BaseException) -> None:
    def fill(folder: Path) -> None:
        write("1")(folder)
        (folder.parent / "archive").write_text("half")
        raise error

    with pytest.raises(type(error)):
        Cache(cache).get("a", fill)
    assert files_that_count(cache) == []


def test_the_left_overs_of_a_killed_process_are_removed_by_the_next(cache: Path) -> None:
    (cache / ".fetch.0123abcd.part").mkdir(parents=True)

    def fill(folder: Path) -> None:
        Cache(cache).get("b", write("2"))
        assert folder.is_dir()
        write("1")(folder)

    Cache(cache).get("a", fill)
    assert not list(cache.glob(".*"))


# What is read is what was put there ----------------------------------------------------------------


def flip(path: Path) -> None:
    """Another bit, the same size."""
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


def emptied(kept: Path) -> None:
    shutil.rmtree(kept)
    kept.mkdir()


def swapped(kept: Path, make: Callable[[Path], object]) -> None:
    (kept / "deep" / "file").unlink()
    make(kept / "deep" / "file")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a longer file": lambda kept: (kept / "deep" / "file").write_text("123"),
    "an empty file": lambda kept: (kept / "deep" / "file").write_text(""),
    "no file": lambda kept: (kept / "deep" / "file").unlink(),
    "a link in place of a file": lambda kept: swapped(kept, lambda path: path.symlink_to("/dev/zero")),
    "a pipe in place of a file": lambda kept: swapped(kept, os.mkfifo),
    "a folder in place of a file": lambda kept: swapped(kept, Path.mkdir),
    "an empty folder": emptied,
    "no folder": shutil.rmtree,
    "a file in place of the folder": lambda kept: (shutil.rmtree(kept), kept.touch()),
}
OF_INDEXES = {
    "no index": lambda index: index.unlink(),
    "an empty index": lambda index: index.write_text(""),
    "another index": lambda index: index.write_text('{"deep/file": [1, "0"]}'),
    "an index of other kinds": lambda index: index.write_text('{"deep/file": 1}'),
    "an index that is a list": lambda index: index.write_text("[]"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_object_is_fetched_again(cache: Path, damage: Callable[[Path], object]) -> None:
    first = Cache(cache).get("a", write("1"))
    damage(first)
    assert Cache(cache).get("a", write("1")) == first
    assert (first / "deep" / "file").read_text() == "1"
    assert Cache(cache).get("a", never) == first


@pytest.mark.parametrize("damage", OF_INDEXES.values(), ids=OF_INDEXES)
def test_an_index_that_is_spoilt_is_made_again_from_the_files(cache: Path, damage: Callable[[Path], object]) -> None:
    first = Cache(cache).get("a", write("1"))
    index = first.with_name(f"{first.name}.json")
    before = index.read_text()
    damage(index)
    assert Cache(cache).get("a", never) == first
    assert index.read_text() == before


def test_without_index_and_with_another_content_an_object_is_fetched_again(cache: Path) -> None:
    first = Cache(cache).get("a", write("1"))
    first.with_name(f"{first.name}.json").unlink()
    flip(first / "deep" / "file")
    assert Cache(cache).get("a", write("1")) == first
    assert (first / "deep" / "file").read_text() == "1"


def test_a_flipped_bit_shows_when_the_digest_of_a_read_file_is_checked(cache: Path) -> None:
    first = Cache(cache).get("a", write("1"))
    one, other = (hashlib.sha256(content).hexdigest() for content in (b"1", b"0"))
    Cache(cache).check(first, {"deep/file": one})
    Cache(cache).check(first / "deep", {"file": one})
    Cache(cache).check(cache.parent, {"file": other})
    for folder, digests in [(first, {"deep/file": other}), (first / "deep", {"file": other}), (first, {"new": one})]:
        with pytest.raises(Damaged) as caught:
            Cache(cache).check(folder, digests)
        assert caught.value.object_folder == first
    Cache(cache).check(first)
    flip(first / "deep" / "file")
    with pytest.raises(Damaged):
        Cache(cache).check(first)


def test_a_dropped_object_is_fetched_again_and_a_whole_one_is_kept(cache: Path) -> None:
    first = Cache(cache).get("a", write("1"))
    Cache(cache).drop(first)
    assert Cache(cache).get("a", never) == first
    flip(first / "deep" / "file")
    Cache(cache).drop(first)
    assert not first.exists()
    assert Cache(cache).get("a", write("1")) == first


def test_a_file_is_read_as_it_was_put(cache: Path) -> None:
    assert Cache(cache).read("a", "deep/file", write("1")) == b"1"
    flip(Cache(cache).get("a", never) / "deep" / "file")
    assert Cache(cache).read("a", "deep/file", write("1")) == b"1"


def test_of_a_damaged_object_there_is_a_note(cache: Path) -> None:
    notes: list[str] = []

    class Noting(type(SILENT)):  # type: ignore[misc]
        def note(self, text: str) -> None:
            notes.append(text)

    kept = Cache(cache, Noting())
    shutil.rmtree(kept.get("npm:a@1.0.0", write("1")) / "deep")
    flip(kept.get("npm:a@1.0.0", write("1")) / "deep" / "file")
    kept.drop(next(path for path in cache.glob("objects/*") if path.is_dir()))
    assert notes == ["the cached copy of npm:a@1.0.0 is damaged and is fetched again"] * 2


def test_forty_threads_that_want_one_package_fetch_it_once(cache: Path, tmp_path: Path) -> None:
    count = tmp_path / "count"
    with ThreadPoolExecutor(40) as threads:
        got = list(threads.map(lambda _: Cache(cache).get("a", write("1", count, wait=0.2)), range(40)))
    assert len(set(got)) == 1
    assert count.read_text() == "x\n"


GET = """
import sys, time
from pathlib import Path
from bundler.disk.cache import Cache

cache, count, key = sys.argv[1:]

def fill(folder):
    with open(count, "a") as file:
        file.write("x\\n")
    time.sleep(0.2)
    (folder / "file").write_text("1")

print(Cache(Path(cache)).get(key, fill))
"""


@pytest.mark.parametrize(("keys", "fetches"), [("aaaa", 1), ("abcd", 4)])
def test_processes_share_a_cache(cache: Path, tmp_path: Path, keys: str, fetches: int) -> None:
    count = tmp_path / "count"
    started = [
        subprocess.Popen([sys.executable, "-c", GET, cache, count, key], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for key in keys
    ]
    printed = {process.communicate()[0] for process in started}
    (got,) = printed
    assert Path(got.strip(), "file").read_text() == "1"
    assert len(count.read_text().splitlines()) == fetches
    assert len(list(cache.glob("sources/*.json"))) == len(set(keys))
    assert not list(cache.glob(".*"))


def test_a_cache_that_cannot_be_written_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="the cache cannot be written") as caught:
        Cache(tmp_path / "file").get("a", write("1"))
    assert "BUNDLER_CACHE" in caught.value.faults[0].hint


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, "home/.cache/bundler"),
        ("linux", {"XDG_CACHE_HOME": "xdg"}, "xdg/bundler"),
        ("darwin", {"XDG_CACHE_HOME": "xdg"}, "home/Library/Caches/bundler"),
        ("linux", {"BUNDLER_CACHE": "own", "XDG_CACHE_HOME": "xdg"}, "own"),
    ],
)
def test_the_cache_lies_where_the_platform_keeps_caches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], expected: str
) -> None:
    for name in ("BUNDLER_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, folder in {"HOME": "home", **variables}.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setattr(sys, "platform", platform)
    assert default_folder() == tmp_path / expected


def test_the_variable_sets_the_cache_of_a_fetch(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUNDLER_CACHE", str(cache))
    shutil.make_archive(str(tmp_path / "models"), "zip", MANIFESTS / "models" / "digits")
    assert cache in sources.fetch("models.zip", tmp_path).folder.parents


@pytest.mark.parametrize("place", ["~nobody-x", "~nobody-x/cache"])
def test_the_home_of_a_user_who_does_not_exist_is_no_place_for_a_cache(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("BUNDLER_CACHE", place)
    with pytest.raises(SourceError, match="there is no such home folder .found ~nobody-x"):
        default_folder()
