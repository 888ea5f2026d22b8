"""Files and paths from elsewhere."""

from __future__ import annotations

import gzip
import os
import socket
from pathlib import Path

import pytest

from bundler.disk import files

SAFE = [
    "a",
    "a/b.bin",
    "./a",
    "a//b",
    "a..b",
    "..a",
    "a b#?.bin",
    "ü/✓",
    "\udc80",
    "a" * 255,
    "/".join("a" * 64),
    "ab:c",
]
UNSAFE = ["", "..", "a/..", "../a", "/a", "C:a", "c:/a", "a\\b", "\\\\host\\a", "a\0b", "\ud800", "\udfff"]
TOO_LARGE = ["a" * 256, "ü" * 128, "b/" + "a" * 256, "/".join("a" * 65), "/".join(["a" * 200] * 21)]


@pytest.mark.parametrize("name", SAFE)
def test_a_path_that_stays_in_its_folder_and_fits_into_it_is_safe(name: str) -> None:
    assert files.is_safe(name)


@pytest.mark.parametrize("name", [*UNSAFE, *TOO_LARGE])
def test_any_other_path_is_not(name: str) -> None:
    assert not files.is_safe(name)


@pytest.mark.parametrize(
    ("name", "spelled"),
    [("a'b", '"a\'b"'), ("\ud800", "'\\ud800'"), ("a" * 2000, f"'{'a' * 120}'… (2,000 characters)")],
)
def test_a_name_in_an_error_is_quoted_and_short(name: str, spelled: str) -> None:
    assert files.spelled(name) == spelled


def pipe(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


KINDS = [
    (pipe, "a pipe"),
    (listening, "a socket"),
    (Path.mkdir, "a folder"),
    (lambda path: path.symlink_to("/dev/zero"), "a device"),
]


@pytest.mark.parametrize(("make", "kind"), KINDS, ids=[kind for _, kind in KINDS])
def test_what_is_no_regular_file_is_not_opened(tmp_path: Path, make, kind: str) -> None:
    make(tmp_path / "x")
    assert files.kind(files.mode(tmp_path / "x")) == kind
    with pytest.raises(OSError, match=f"^{kind}, no regular file$"):
        files.opened(tmp_path / "x")


def test_a_file_that_became_a_pipe_as_it_was_looked_at_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    pipe(tmp_path / "pipe")
    looked_at = os.stat(tmp_path / "file")
    monkeypatch.setattr(os, "stat", lambda path: looked_at)
    with pytest.raises(OSError, match="a pipe"):
        files.opened(tmp_path / "pipe")


def test_a_file_is_read_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    with files.opened(tmp_path / "link") as file:
        assert file.read() == b"content"


@pytest.mark.parametrize("name", ["absent", "file/below"])
def test_what_is_not_there_has_no_mode(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert files.mode(tmp_path / name) == 0


@pytest.mark.parametrize("name", ["loop", "a" * 300, "a\0b", "\ud800"])
def test_what_cannot_be_looked_at_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="."):
        files.mode(tmp_path / name)


def test_gzip_is_known_by_its_first_bytes_and_its_members_are_one_stream(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(b"one ") + gzip.compress(b"stream"))
    assert files.is_gzipped(path)
    with files.unpacked(path) as content:
        packed = content.fileobj
        assert content.read(7) == b"one str"
        assert content.read() == b"eam"
    assert packed is not None
    assert packed.closed  # type: ignore[union-attr]


@pytest.mark.parametrize(("packed", "allowed"), [(0, 128 << 20), (1 << 20, 128 << 20), (1 << 30, 100 << 30)])
def test_what_a_file_may_unpack_to_grows_with_its_size(packed: int, allowed: int) -> None:
    assert files.allowance(packed) == allowed
