from __future__ import annotations

import gzip
import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import bundler.disk.shards
from bundler.disk.shards import File, Group, keeping_open
from bundler.errors import SourceError
from tests.support.models import in_pieces


@pytest.mark.parametrize("sizes", [(), (3,), (0, 4, 0, 0), (1, 1, 1, 1, 1, 1, 1, 1, 1)])
def test_shards_read_as_one(sizes: tuple[int, ...]) -> None:
    content = bytes(range(10))
    group = in_pieces(content, *sizes)
    assert group.size == 10
    ranges = [(start, length) for start in range(10) for length in range(11 - start)]
    assert [group.read(start, length) for start, length in ranges] == [
        content[start : start + length] for start, length in ranges
    ]


def test_no_shards_are_no_bytes() -> None:
    assert Group(()).size == 0
    assert Group(()).read(0, 0) == b""


@pytest.mark.parametrize(("gzipped", "kept"), [(False, 0), (True, 10), (True, 9)])
def test_a_file_is_read_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gzipped: bool, kept: int) -> None:
    monkeypatch.setattr(bundler.disk.shards, "_KEPT", kept)
    path = tmp_path / "shard.bin"
    path.write_bytes(gzip.compress(b"0123456789") if gzipped else b"0123456789")
    group = Group((File(path, 10, gzipped),))
    assert [group.read(3, 4), group.read(0, 2)] == [b"3456", b"01"]


class Opened:
    """How often files are opened, and which of them are still open."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.streams: list[Any] = []
        plain = File.open
        monkeypatch.setattr(File, "open", lambda file: self.streams.append(plain(file)) or self.streams[-1])

    @property
    def left(self) -> int:
        return sum(not stream.closed for stream in self.streams)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    return Opened(monkeypatch)


def two_files(folder: Path) -> Group:
    for name in "ab":
        (folder / name).write_bytes(b"0123456789")
    return Group((File(folder / "a", 10), File(folder / "b", 10)))


def test_a_file_is_closed_after_each_reading(tmp_path: Path, opened: Opened) -> None:
    group = two_files(tmp_path)
    assert [group.read(start, 2) for start in (1, 9, 13)] == [b"12", b"90", b"34"]
    assert (len(opened.streams), opened.left) == (4, 0)


def test_a_file_that_is_read_again_and_again_may_stay_open(tmp_path: Path, opened: Opened) -> None:
    group = two_files(tmp_path)
    with keeping_open():
        assert [group.read(start, 2) for start in (1, 9, 13)] == [b"12", b"90", b"34"]
        assert (len(opened.streams), opened.left) == (2, 1)
        with keeping_open():
            group.read(12, 1)
        assert (len(opened.streams), opened.left) == (2, 1)
    assert opened.left == 0


def test_what_another_thread_keeps_open_is_its_own(tmp_path: Path, opened: Opened) -> None:
    group = two_files(tmp_path)
    with keeping_open(), ThreadPoolExecutor(1) as pool:
        group.read(0, 1)
        pool.submit(group.read, 0, 1).result()
        assert (len(opened.streams), opened.left) == (2, 1)


def test_a_file_that_changed_is_opened_again_after_all(tmp_path: Path) -> None:
    group = two_files(tmp_path)
    with keeping_open():
        group.read(0, 1)
    (tmp_path / "a").unlink()
    (tmp_path / "a").write_bytes(b"abcdefghij")
    assert group.read(0, 2) == b"ab"


def test_nothing_stays_open_after_an_error(tmp_path: Path, opened: Opened) -> None:
    (tmp_path / "a").write_bytes(b"01")
    with pytest.raises(SourceError), keeping_open():
        Group((File(tmp_path / "a", 10),)).read(0, 5)
    assert opened.left == 0


def test_a_compressed_file_that_changed_is_unpacked_again(tmp_path: Path) -> None:
    path = tmp_path / "shard.bin"
    for content in (b"0123", b"4567"):
        path.write_bytes(gzip.compress(content))
        os.utime(path, ns=(0, int(content)))
        assert Group((File(path, 4, gzipped=True),)).read(0, 4) == content


def test_a_shard_that_shrank_since_it_was_measured_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "shard.bin"
    path.write_bytes(b"0123")
    with pytest.raises(SourceError, match="became shorter while it was read") as caught:
        Group((File(path, 10),)).read(0, 10)
    assert str(caught.value).endswith("shard.bin: became shorter while it was read (found 4 bytes, expected 10)")


def test_a_shard_that_is_gone_since_it_was_measured_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"shard\.bin: cannot be read \(found .*No such file"):
        Group((File(tmp_path / "shard.bin", 10),)).read(0, 10)


@pytest.mark.parametrize("kept", [0, 1 << 20])
def test_a_compressed_file_is_unpacked_no_further_than_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(bundler.disk.shards, "_KEPT", kept)
    path = tmp_path / "shard.bin"
    path.write_bytes(gzip.compress(b"0123456789") + gzip.compress(bytes(1 << 26)) * 64)
    read: list[int] = []
    plain = zlib.crc32
    monkeypatch.setattr(zlib, "crc32", lambda data, *start: read.append(len(data)) or plain(data, *start))
    assert Group((File(path, 10, gzipped=True),)).read(2, 8) == b"23456789"
    assert sum(read) < 1 << 20


@pytest.mark.parametrize("size", [10, 1 << 26], ids=["kept", "not kept"])
@pytest.mark.parametrize("kept", [slice(-12), slice(3), slice(0), slice(12, None)])
def test_a_compressed_file_that_is_damaged_since_it_was_measured_is_an_error(
    tmp_path: Path, kept: slice, size: int
) -> None:
    path = tmp_path / "shard.bin"
    path.write_bytes(gzip.compress(b"0123456789")[kept])
    with pytest.raises(SourceError, match=r"shard\.bin: (cannot be read|became shorter)"):
        Group((File(path, size, gzipped=True),)).read(0, 10)


def test_a_shard_that_became_a_pipe_since_it_was_measured_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "shard.bin")
    with pytest.raises(SourceError, match=r"shard\.bin: cannot be read \(found a pipe, no regular file\)"):
        Group((File(tmp_path / "shard.bin", 10),)).read(0, 10)
