"""Archives that mean harm, or are broken."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from bundler import files
from bundler.errors import SourceError
from bundler.sources import archive


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
    monkeypatch.setattr(archive, "MAX_FILES", 2)
    path = tarball(tmp_path / "a.tgz", *(member(f"d{i}", tarfile.DIRTYPE) for i in range(3)))
    with pytest.raises(SourceError, match="too many files"):
        archive.unpack(path, folder)


def encrypted(path: Path) -> Path:
    zip_file(path, "model.json", b"{}")
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    path.write_bytes(content)
    return path


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
