"""Archives that mean harm, or are broken."""

from __future__ import annotations

import io
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.disk import files
from bundler.errors import SourceError
from bundler.sources import archive, limits


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, link, 0o4777
    return made


def tarball(path: Path, *members: tarfile.TarInfo, content: bytes = b"") -> Path:
    with tarfile.open(path, "w:gz") as made:
        for info in members:
            info.size = len(content) if info.isreg() else 0
            made.addfile(info, io.BytesIO(content))
    return path


def zip_file(path: Path, name: str, content: bytes = b"", mode: int = stat.S_IFREG | 0o644) -> Path:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(info, content)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "out" / "folder"
    made.mkdir(parents=True)
    return made


def assert_nothing_outside(folder: Path) -> None:
    """`folder` is alone in its parent, and nothing that was unpacked is a link."""
    assert list(folder.parent.iterdir()) == [folder]
    assert not any(path.is_symlink() for path in folder.rglob("*"))


SYM, HARD = tarfile.SYMTYPE, tarfile.LNKTYPE
HOSTILE_TARS = {
    "an absolute path": [member("/tmp/evil")],
    "a path above": [member("../evil")],
    "a path above, later": [member("a/../../evil")],
    "a path of Windows": [member("a\\..\\..\\evil")],
    "a drive": [member("C:evil")],
    "a folder above": [member("../evil", tarfile.DIRTYPE)],
    "a link to an absolute path": [member("passwd", SYM, "/etc/passwd")],
    "a link above": [member("passwd", SYM, "../../../etc/passwd")],
    "a hard link to an absolute path": [member("passwd", HARD, "/etc/passwd")],
    "a file through a link": [member("a", SYM, ".."), member("a/evil")],
    "links in a circle": [member("a", SYM, "b"), member("b", SYM, "a")],
    "a link to a folder": [member("d", tarfile.DIRTYPE), member("a", SYM, "d")],
    "a character device": [member("null", tarfile.CHRTYPE)],
    "a block device": [member("disk", tarfile.BLKTYPE)],
    "a pipe": [member("pipe", tarfile.FIFOTYPE)],
    "a file that is a folder, too": [member("a"), member("a/b")],
}


@pytest.mark.parametrize("members", HOSTILE_TARS.values(), ids=HOSTILE_TARS.keys())
def test_a_hostile_tarball_is_refused(tmp_path: Path, folder: Path, members: list[tarfile.TarInfo]) -> None:
    with pytest.raises(SourceError):
        archive.unpack(tarball(tmp_path / "a.tgz", *members), folder)
    assert_nothing_outside(folder)


@pytest.mark.parametrize("name", ["/tmp/evil", "../evil", "a/../../evil", "a\\..\\evil", "C:evil"])
def test_a_zip_with_an_unsafe_path_is_refused(tmp_path: Path, folder: Path, name: str) -> None:
    with pytest.raises(SourceError, match="unsafe path"):
        archive.unpack(zip_file(tmp_path / "a.zip", name), folder)
    assert_nothing_outside(folder)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_a_zip_with_a_link_or_device_is_refused(tmp_path: Path, folder: Path, kind: int) -> None:
    with pytest.raises(SourceError, match="a link or a special file"):
        archive.unpack(zip_file(tmp_path / "a.zip", "passwd", b"/etc/passwd", kind | 0o777), folder)
    assert_nothing_outside(folder)


@pytest.mark.parametrize("kind", [SYM, HARD])
def test_a_link_inside_becomes_a_copy(tmp_path: Path, folder: Path, kind: bytes) -> None:
    target = "shard" if kind == SYM else "a/shard"
    path = tarball(tmp_path / "a.tgz", member("a/shard"), member("a/link", kind, target), content=b"1234")
    archive.unpack(path, folder)
    assert (folder / "a" / "link").read_bytes() == b"1234"
    assert_nothing_outside(folder)


def chain(length: int, target: str = "file") -> list[tarfile.TarInfo]:
    """Links, each to the one before; the first one to `target`."""
    return [member(f"link{number}", SYM, f"link{number - 1}" if number else target) for number in range(length)]


@pytest.mark.parametrize("length", [1, 2, 40])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_link_to_a_link_to_a_file_becomes_a_copy(tmp_path: Path, folder: Path, length: int, backwards: bool) -> None:
    members = [member("file"), *chain(length)]
    archive.unpack(tarball(tmp_path / "a.tgz", *members[:: -1 if backwards else 1], content=b"1234"), folder)
    assert {path.read_bytes() for path in folder.iterdir()} == {b"1234"}
    assert len(list(folder.iterdir())) == length + 1


@pytest.mark.parametrize("length", [41, 2000])
def test_a_long_chain_of_links_is_refused(tmp_path: Path, folder: Path, length: int) -> None:
    with pytest.raises(SourceError, match="links in a circle, or a long chain"):
        archive.unpack(tarball(tmp_path / "a.tgz", member("file"), *chain(length)), folder)


def test_links_share_what_the_archive_may_unpack_to(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES", 40_000)
    members = [member("file"), *(member(f"{number}", SYM, "file") for number in range(4))]
    archive.unpack(tarball(tmp_path / "a.tgz", *members[:4], content=bytes(10_000)), folder)
    shutil.rmtree(folder)
    folder.mkdir()
    with pytest.raises(SourceError, match="bomb"):
        archive.unpack(tarball(tmp_path / "a.tgz", *members, content=bytes(10_000)), folder)


def test_one_path_has_one_spelling(tmp_path: Path, folder: Path) -> None:
    path = tarball(tmp_path / "a.tgz", member("./a//b"), member("./c/./d", SYM, "../a/./b"), content=b"1234")
    archive.unpack(path, folder)
    assert {file.relative_to(folder).as_posix() for file in folder.rglob("*")} == {"a", "a/b", "c", "c/d"}


def test_folders_may_come_more_than_once_and_after_what_is_in_them(tmp_path: Path, folder: Path) -> None:
    folders = [member(name, tarfile.DIRTYPE) for name in (".", "a", "a/", "a")]
    archive.unpack(tarball(tmp_path / "a.tgz", *folders[:2], member("a/b"), *folders[2:]), folder)
    assert (folder / "a" / "b").is_file()


def test_the_members_of_a_tarball_are_not_kept(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []
    plain = tarfile.TarFile.next
    monkeypatch.setattr(tarfile.TarFile, "next", lambda opened: kept.append(len(opened.members)) or plain(opened))
    archive.unpack(tarball(tmp_path / "a.tgz", *(member(f"{number}") for number in range(9))), folder)
    assert max(kept) <= 1


def test_headers_with_long_names_are_read(tmp_path: Path, folder: Path) -> None:
    names = ["/".join(["ü" * 100] * 9), "/".join(["x" * 255] * 8)]
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        with tarfile.open(tmp_path / "a.tgz", "w:gz", format=form) as made:
            for name in names:
                made.addfile(tarfile.TarInfo(f"{form}/{name}"))
        archive.unpack(tmp_path / "a.tgz", folder)
        assert all((folder / f"{form}/{name}").is_file() for name in names)


def test_an_archive_is_told_by_its_content_not_by_its_name(tmp_path: Path, folder: Path) -> None:
    archive.unpack(tarball(tmp_path / "a.zip", member("a")), folder)
    archive.unpack(zip_file(tmp_path / "b.tgz", "b"), folder)
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b"]


def test_a_zip_with_zip64_headers_is_read(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made, made.open("a", "w", force_zip64=True) as file:
        file.write(b"1234")
    archive.unpack(tmp_path / "a.zip", folder)
    assert (folder / "a").read_bytes() == b"1234"


def test_a_zip_behind_other_bytes_is_read(tmp_path: Path, folder: Path) -> None:
    whole = zip_file(tmp_path / "a.zip", "a", b"1234").read_bytes()
    (tmp_path / "a.zip").write_bytes(b"#!/bin/sh\n" + whole + b"")
    archive.unpack(tmp_path / "a.zip", folder)
    assert (folder / "a").read_bytes() == b"1234"


def test_a_disk_that_takes_no_more_is_an_error(tmp_path: Path, folder: Path, small_files: Callable) -> None:
    path = tarball(tmp_path / "a.tgz", member("a"), content=bytes(100_000))
    with small_files(), pytest.raises(SourceError, match=r"cannot be unpacked \(found File too large\)"):
        archive.unpack(path, folder)


def test_an_archive_that_is_larger_than_what_may_be_unpacked_is_not_read(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES", 10)
    with pytest.raises(SourceError, match=r"the archive is too large \(found \d+ bytes, expected at most 10\)"):
        archive.unpack(tarball(tmp_path / "a.tgz", member("a")), folder)


def test_permissions_of_the_archive_are_not_taken_over(tmp_path: Path, folder: Path) -> None:
    archive.unpack(tarball(tmp_path / "a.tgz", member("run")), folder)
    (tmp_path / "plain").touch()
    assert (folder / "run").stat().st_mode == (tmp_path / "plain").stat().st_mode


ZEROS = bytes(1 << 20)
BOMBS = {
    "tar": lambda path: tarball(path, member("zeros"), content=ZEROS),
    "tar of links": lambda path: tarball(
        path, member("zeros"), *(member(f"{i}", HARD, "zeros") for i in range(9)), content=ZEROS[: 1 << 18]
    ),
    "zip": lambda path: zip_file(path, "zeros", ZEROS),
}


@pytest.mark.parametrize("make", BOMBS.values(), ids=BOMBS.keys())
def test_an_archive_that_unpacks_to_far_more_than_its_size_is_refused(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, make: object
) -> None:
    monkeypatch.setattr(files, "MODEST_BYTES", 1 << 16)
    path = make(tmp_path / "bomb")  # type: ignore[operator]
    with pytest.raises(SourceError, match="bomb"):
        archive.unpack(path, folder)


def test_a_modest_archive_may_unpack_to_many_times_its_size(tmp_path: Path, folder: Path) -> None:
    path = tarball(tmp_path / "a.tgz", member("zeros"), content=ZEROS)
    assert path.stat().st_size * files.MAX_RATIO < len(ZEROS)
    archive.unpack(path, folder)
    assert (folder / "zeros").read_bytes() == ZEROS


def test_an_archive_with_too_many_files_is_refused(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_FILES", 2)
    path = tarball(tmp_path / "a.tgz", *(member(f"d{i}", tarfile.DIRTYPE) for i in range(3)))
    with pytest.raises(SourceError, match="too many files"):
        archive.unpack(path, folder)


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-30])
    return path


BROKEN = {
    "no archive": lambda path: path.write_bytes(b"<html>not found</html>"),
    "an empty file": lambda path: path.write_bytes(b""),
    "a zip cut short": lambda path: cut(zip_file(path, "a", b"1234")),
}


@pytest.mark.parametrize("make", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_archive_is_an_error_that_says_so(tmp_path: Path, folder: Path, make: object) -> None:
    make(tmp_path / "broken")  # type: ignore[operator]
    with pytest.raises(SourceError, match="cannot be unpacked") as caught:
        archive.unpack(tmp_path / "broken", folder)
    assert caught.value.faults[0].found


def test_a_tarball_cut_short_anywhere_is_noticed(tmp_path: Path, folder: Path) -> None:
    whole = tarball(tmp_path / "a.tgz", member("a"), member("b"), content=bytes(range(256)) * 9).read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / "a.tgz").write_bytes(whole[:length])
        with pytest.raises(SourceError, match="cannot be unpacked"):
            archive.unpack(tmp_path / "a.tgz", folder)


@pytest.mark.parametrize("make", [tarball, lambda path, *_, content: zip_file(path, "a", content)])
def test_a_spoilt_byte_is_noticed(tmp_path: Path, folder: Path, make: object) -> None:
    path = make(tmp_path / "a", member("a"), content=bytes(range(256)) * 9)  # type: ignore[operator]
    content = bytearray(path.read_bytes())
    content[100] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(SourceError, match="cannot be unpacked"):
        archive.unpack(path, folder)
