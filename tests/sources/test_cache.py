from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bundler import sources
from bundler.errors import SourceError
from bundler.sources.cache import Cache, default_folder

ROOT = Path(__file__).parents[2]


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


@pytest.mark.parametrize("record", ["", "{", "[]", "{}", '{"object": 1}'])
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


def test_the_left_overs_of_a_killed_process_are_cleared_after_a_day(cache: Path) -> None:
    old, new = cache / ".fetch.0123abcd.part", cache / ".fetch.4567cdef.part"
    for folder in (old, new):
        folder.mkdir(parents=True)
        write("1")(folder)
    os.utime(old, (0, 0))
    Cache(cache).get("a", write("1"))
    assert not old.exists()
    assert new.exists()


def test_forty_threads_that_want_one_package_fetch_it_once(cache: Path, tmp_path: Path) -> None:
    count = tmp_path / "count"
    with ThreadPoolExecutor(40) as threads:
        got = list(threads.map(lambda _: Cache(cache).get("a", write("1", count, wait=0.2)), range(40)))
    assert len(set(got)) == 1
    assert count.read_text() == "x\n"


GET = """
import sys, time
from pathlib import Path
from bundler.sources.cache import Cache

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
        ("win32", {"LOCALAPPDATA": "local"}, "local/bundler"),
        ("linux", {"BUNDLER_CACHE": "own", "XDG_CACHE_HOME": "xdg"}, "own"),
    ],
)
def test_the_cache_lies_where_the_platform_keeps_caches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], expected: str
) -> None:
    for name in ("BUNDLER_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, folder in {"HOME": "home", **variables}.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setattr(sys, "platform", platform)
    assert default_folder() == tmp_path / expected


def test_the_variable_sets_the_cache_of_a_fetch(
    digits: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUNDLER_CACHE", str(cache))
    shutil.make_archive(str(tmp_path / "models"), "zip", digits)
    assert cache in sources.fetch("models.zip", tmp_path).folder.parents
