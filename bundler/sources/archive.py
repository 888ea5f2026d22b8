"""Untrusted archives, unpacked so that no member can reach out of its folder.

Files are written one by one under checked names. Links are never made: a link inside the archive becomes a copy of its
target, any other is refused. So paths with `..`, links, devices and permissions do no harm, on every patch release of
Python.
"""

from __future__ import annotations

import posixpath
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from bundler.artifacts import artifact, early, foreign
from bundler.disk import files
from bundler.errors import SourceError, closest, some
from bundler.sources import limits, tars, zips
from bundler.sources.member import BOMB, Member

__all__ = ["is_archive", "locate", "unpack"]

_LINKS = 40
"""Links that are followed one after another, as many as Linux follows."""
_LISTED = 10
_ASKED = 500
"""JSON files that are read, to name those that are models."""
_BROKEN = (
    ArithmeticError,  # numbers in headers
    EOFError,
    LookupError,
    NotImplementedError,  # a zip that needs a newer version
    OSError,
    RecursionError,  # pax headers of pax headers
    RuntimeError,
    struct.error,
    tarfile.TarError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""Exceptions of Python's readers for a damaged archive."""


def is_archive(name: str) -> bool:
    """Whether a file is an archive, by its name."""
    return name.lower().endswith((".zip", ".tar.gz", ".tgz"))


def unpack(archive: Path, folder: Path) -> None:
    """Unpack into an empty folder. SourceError if the archive is damaged, hostile or a bomb."""
    try:
        size = archive.stat().st_size
        if size > limits.MAX_BYTES:
            raise SourceError(
                "the archive is too large", found=f"{size:,} bytes", expected=f"at most {limits.MAX_BYTES:,}"
            )
        allowed = min(limits.MAX_BYTES, files.allowance(size))
        tree = _Tree(folder, allowed)
        for member in (tars if files.is_gzipped(archive) else zips).members(archive, allowed):
            tree.add(member)
        tree.follow_links()
    except _BROKEN as error:
        raise SourceError("the archive cannot be unpacked", found=files.reason(error)) from error


def locate(folder: Path, inside: str = "") -> Path:
    """The model at the path `inside` of an unpacked folder; without one, its only model.json.

    Raises SourceError, which names what the folder has, if that is not one model.
    """
    if inside:
        return _at(folder, inside)
    found = _models(folder)
    if len(found) == 1:
        return folder / found[0]
    if not found:
        _refuse_foreign(folder)
    raise SourceError(
        "the path must name one model of the archive",
        found=some(found, _LISTED) if found else "no model.json",
        expected="a path inside",
        hint=f"add the path, such as {found[0]}" if found else _models_hint(folder),
    )


def _at(folder: Path, inside: str) -> Path:
    if not files.is_safe(inside):
        raise SourceError("the path leads out of the archive", found=files.spelled(inside))
    path = folder / inside
    if not files.mode(path):
        raise SourceError("there is no such path inside", found=repr(inside), hint=_near(inside, folder))
    return path


def _models(folder: Path) -> list[str]:
    """The entry files of the models in a folder: each model.json, or else each graph from before 1.0."""
    entries = folder.rglob("model.json") if any(folder.rglob("model.json")) else _early_graphs(folder)
    return sorted(path.relative_to(folder).as_posix() for path in entries)


def _early_graphs(folder: Path) -> Iterator[Path]:
    for manifest in folder.rglob(early.MANIFEST):
        graph = early.graph_file(sorted(path.name for path in manifest.parent.iterdir()))
        if graph is not None:
            yield manifest.with_name(graph)


def _refuse_foreign(folder: Path) -> None:
    """Raise SourceError if a folder holds a model of another format."""
    for place in sorted({path.parent for path in folder.rglob("*") if path.is_file()}):
        kind = foreign.of_folder(place.name, sorted(path.name for path in place.iterdir()))
        if kind is not None:
            raise SourceError(kind.what, where=place.relative_to(folder).as_posix(), hint=kind.hint)


def _near(inside: str, folder: Path) -> str:
    """A hint for a path that is not there: a similar one, else the models."""
    near, names = closest(inside, _json_files(folder)), _json_models(folder)
    return near or (f"the models are {some(names, _LISTED)}" if names else "")


def _models_hint(folder: Path) -> str:
    names = _json_models(folder)
    return f"add the path of the model: {some(names, _LISTED)}" if names else "it has no JSON file that is a model"


def _json_models(folder: Path) -> list[str]:
    """The first JSON files that are models."""
    return [name for name in _json_files(folder)[:_ASKED] if artifact.is_model(folder / name)]


def _json_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.json"))


class _Tree:
    """The folder that an archive becomes, and the members in it so far."""

    def __init__(self, folder: Path, allowed: int) -> None:
        self._folder = folder
        self._left = allowed
        self._count = 0
        self._files: set[str] = set()
        self._folders = {"."}
        self._links: dict[str, str] = {}

    def add(self, member: Member) -> None:
        """Put one member into the folder. Links are noted: their targets may come later."""
        self._count += 1
        if self._count > limits.MAX_FILES:
            raise SourceError("the archive has too many files", expected=f"at most {limits.MAX_FILES:,}")
        path = self._claim(member.name, is_folder=member.content is None and member.target is None)
        if member.target is not None:
            self._links[path] = member.target
        elif member.content is not None:
            self._files.add(path)
            self._write(path, member.content)

    def follow_links(self) -> None:
        """Make each link a copy of its target."""
        for path in self._links:
            target = self._folder / self._end_of(path)
            self._spend(target.stat().st_size)
            shutil.copyfile(target, self._made_room(path))

    def _claim(self, name: str, is_folder: bool) -> str:
        """The normalized path of a new member. SourceError if it is unsafe, or taken."""
        if not files.is_safe(name):
            raise SourceError("the archive has an unsafe path", found=files.spelled(name))
        path = posixpath.normpath(name)
        above = [*_above(path), *([path] if is_folder else [])]
        if not is_folder and (path in self._files or path in self._links):
            raise SourceError("the archive has two files of one name", found=files.spelled(name))
        taken = [folder for folder in above if folder in self._files or folder in self._links]
        if taken or (not is_folder and path in self._folders):
            raise SourceError("the archive has a file where it has a folder", found=files.spelled(name))
        self._folders.update(above)
        return path

    def _write(self, path: str, content: Iterator[bytes]) -> None:
        with self._made_room(path).open("xb") as file:
            for chunk in content:
                self._spend(len(chunk))
                file.write(chunk)

    def _made_room(self, path: str) -> Path:
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise SourceError(BOMB)

    def _end_of(self, link: str) -> str:
        """The file at the end of a chain of links."""
        path = link
        for _ in range(_LINKS):
            path = self._links[path]
            if path in self._files:
                return path
            if path not in self._links:
                found = f"{files.spelled(link)} → {files.spelled(self._links[link])}"
                raise SourceError("the archive has a link that leads to no file in it", found=found)
        raise SourceError("the archive has links in a circle, or a long chain of them", found=files.spelled(link))


def _above(path: str) -> Iterator[str]:
    """The folders above a path, from the innermost on."""
    while path := posixpath.dirname(path):
        yield path
