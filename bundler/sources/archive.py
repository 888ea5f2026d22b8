"""Archives from elsewhere: unpacked so that nothing in them can reach out of their folder.

Files are written here, one by one, under names that were checked; links are never made: one inside
the archive becomes a copy of what it points to, any other is refused. So neither `..`, nor links,
nor devices, nor permissions matter, on whichever patch release of Python.
"""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypeAlias

from bundler.artifact import is_inside
from bundler.errors import SourceError, closest

__all__ = ["MAX_BYTES", "MAX_FILES", "MAX_RATIO", "MODEST_BYTES", "is_archive", "locate", "unpack"]

MAX_FILES = 100_000
"""Files and folders in one archive."""
MAX_BYTES = 64 << 30
"""Bytes that one archive may unpack to."""
MAX_RATIO = 200
"""How many times its own size an archive may unpack to, once that is more than `MODEST_BYTES`."""
MODEST_BYTES = 1 << 30

_Entry: TypeAlias = "tuple[str, IO[bytes] | None]"
"""A name, and the file's content; None for a folder."""

_CHUNK = 1 << 20
_BOMB = "the archive unpacks to far more than its size: it may be a bomb"
_BROKEN = (
    EOFError,
    NotImplementedError,  # a compression that zipfile does not know
    OSError,
    RecursionError,  # links in a circle
    RuntimeError,  # an encrypted zip
    tarfile.TarError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def is_archive(name: str) -> bool:
    """Whether a file is an archive, by its name."""
    return name.lower().endswith((".zip", ".tar.gz", ".tgz"))


def unpack(archive: Path, folder: Path) -> None:
    """Unpack into an empty folder. SourceError where the archive is broken, hostile or a bomb."""
    left = _allowance(archive.stat().st_size)
    try:
        for count, (name, content) in enumerate(_entries(archive), 1):
            if count > MAX_FILES:
                raise SourceError("the archive has too many files", expected=f"at most {MAX_FILES}")
            if not is_inside(name):
                raise SourceError("the archive has an unsafe path", found=repr(name))
            left -= _write(content, folder / name, left) if content is not None else 0
    except _BROKEN as error:
        raise SourceError("the archive cannot be unpacked", found=str(error) or type(error).__name__) from error


def locate(folder: Path, inside: str = "") -> Path:
    """The model at the path `inside` of an unpacked folder; without one, its only model.json.

    Raises SourceError, with what the folder does have, where that is not one model.
    """
    if inside:
        return _at(folder, inside)
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("model.json"))
    if len(found) == 1:
        return folder / found[0]
    raise SourceError(
        "which model is meant?",
        found=", ".join(found) or "no model.json",
        expected="a path inside",
        hint=f"add the path, such as {found[0]}" if found else _models_hint(folder),
    )


def _at(folder: Path, inside: str) -> Path:
    path = folder / inside
    if not is_inside(inside):
        raise SourceError("the path leads out of the archive", found=repr(inside))
    if not path.exists():
        raise SourceError("there is no such path inside", found=repr(inside), hint=closest(inside, _json_files(folder)))
    return path


def _models_hint(folder: Path) -> str:
    names = _json_files(folder)
    return f"add the path of the model; the JSON files are {', '.join(names[:10])}" if names else ""


def _json_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.json"))


def _allowance(size: int) -> int:
    """The bytes that an archive of `size` bytes may unpack to."""
    return min(MAX_BYTES, max(MODEST_BYTES, MAX_RATIO * size))


def _write(content: IO[bytes], path: Path, allowed: int) -> int:
    """Copy into a new file; the number of bytes."""
    written = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as file:
        while chunk := content.read(_CHUNK):
            written += file.write(chunk)
            if written > allowed:
                raise SourceError(_BOMB)
    return written


def _entries(archive: Path) -> Iterator[_Entry]:
    return _zip_entries(archive) if zipfile.is_zipfile(archive) else _tar_entries(archive)


def _zip_entries(archive: Path) -> Iterator[_Entry]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise SourceError("the archive has a link or a device", found=repr(info.filename))
            yield info.filename, None if info.is_dir() else opened.open(info)


def _tar_entries(archive: Path) -> Iterator[_Entry]:
    with gzip.open(archive) as stream:
        with tarfile.open(fileobj=stream, mode="r:") as opened:
            for member in opened:
                yield member.name, _tar_content(opened, member)
        _check_end(stream, archive.stat().st_size)


def _check_end(stream: gzip.GzipFile, size: int) -> None:
    """Read to the end, where gzip keeps its checksum: a tarball that was cut short can look whole."""
    left = _allowance(size)
    while chunk := stream.read(_CHUNK):
        left -= len(chunk)
        if left < 0:
            raise SourceError(_BOMB)


def _tar_content(opened: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes] | None:
    if member.isdir():
        return None
    if not member.isfile() and not member.islnk() and not member.issym():
        raise SourceError("the archive has a device", found=repr(member.name))
    try:
        content = opened.extractfile(member)  # follows links, but only to what the archive has
    except KeyError:
        content = None
    if content is None:
        raise SourceError("the archive has a link that leads out of it", found=f"{member.name!r} → {member.linkname!r}")
    return content
