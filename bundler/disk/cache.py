"""The cache of fetched sources, by content: a source is fetched once, however many models it has.

    <cache>/objects/<sha256>/…              unpacked folders, by the digest of all that is in them
    <cache>/objects/<sha256>.json           their index: size and sha256 of each file
    <cache>/sources/<sha256 of key>.json    which object a package, URL or archive is
    <cache>/**/*.lock                       held by the one thread or process that writes there

Everything is written to a scratch folder and renamed to its place, so a fetch that was cut short leaves no object. Any
file may be deleted at any time: it is fetched again.

Damage is noticed. The name of an object is the digest of its index, and the index has the digest of each file. `get`
compares names and sizes; a caller that reads files passes their sha256 to `check`. Files that differ are fetched again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bundler.disk import files, objects
from bundler.disk.locks import Lock
from bundler.disk.scratch import scratch
from bundler.disk.sync import sync
from bundler.errors import SourceError
from bundler.progress import SILENT, Progress

__all__ = ["Cache", "Damaged", "default_folder"]

_PLATFORM_FOLDERS = {"darwin": ("", "~/Library/Caches")}
"""By platform: the variable that names the user's cache folder, and the folder if the variable is not set."""
_XDG_FOLDER = ("XDG_CACHE_HOME", "~/.cache")


def default_folder() -> Path:
    """`BUNDLER_CACHE`, else `bundler` in the platform's folder for the user's caches.

    SourceError if it begins with the home folder of a user that does not exist.
    """
    variable, place = _PLATFORM_FOLDERS.get(sys.platform, _XDG_FOLDER)
    own = os.environ.get("BUNDLER_CACHE")
    folder = os.path.expanduser(own or os.path.join(os.environ.get(variable) or place, "bundler"))
    if folder.startswith("~"):
        raise SourceError(
            "the cache has no place: there is no such home folder",
            found=folder,
            hint="set BUNDLER_CACHE to a folder of yours",
        )
    return Path(os.path.abspath(folder))


class Damaged(SourceError):
    """Files of the cache differ from what was fetched: `object_folder` must be fetched again."""

    def __init__(self, what: str, *, object_folder: Path = Path(), **facts: Any) -> None:
        super().__init__(what, **facts)
        self.object_folder = object_folder


@dataclass(frozen=True)
class Cache:
    """The cache in `folder`, which need not be there yet. Notes on damaged objects go to `progress`."""

    folder: Path
    progress: Progress = SILENT

    def get(self, key: str, fill: Callable[[Path], object]) -> Path:
        """The folder kept under `key`; if there is none, `fill` gets an empty folder to fill.

        Files that `fill` puts beside that folder are temporary, and removed. Of several callers, in this process or
        others, one fills the folder and the others wait. Raises what `fill` raises, and SourceError if the cache cannot
        be written.
        """
        return self._kept(key) or self._made(key, fill)

    def has(self, key: str) -> bool:
        """Whether there is an object under `key`."""
        return self._kept(key) is not None

    def read(self, key: str, name: str, fill: Callable[[Path], object]) -> bytes:
        """The content of one file of that folder, checked."""
        folder = self.get(key, fill)
        content = objects.read(folder / name)
        try:
            self.check(folder, {name: hashlib.sha256(content).hexdigest()})
        except Damaged:
            self.drop(folder, key)
            return objects.read(self.get(key, fill) / name)
        return content

    def check(self, folder: Path, digests: Mapping[str, str] | None = None) -> None:
        """Raise Damaged if files of an object have another sha256 than when they were fetched.

        `digests` are the sha256 of files that were read, by name below `folder`, which may lie inside an object.
        Without them, every file of the object is read. A folder outside of the cache passes.
        """
        place = self.folder / "objects"
        if not folder.is_relative_to(place):
            return
        kept = place / folder.relative_to(place).parts[0]
        inner = folder.relative_to(kept)
        of_object = None if digests is None else {(inner / name).as_posix(): each for name, each in digests.items()}
        damaged = objects.damage(kept, of_object)
        if damaged:
            raise Damaged(
                "files in the cache are not what was fetched", where=str(kept), found=damaged, object_folder=kept
            )

    def drop(self, kept: Path, key: str = "") -> None:
        """Remove an object, unless another process has replaced it by a whole one meanwhile."""
        self._note_damage(key or self._key_of(kept))
        with self._explained(), _alone(objects.beside(kept, ".lock")):
            if not self._holds(kept):
                with scratch(self.folder, "drop") as fresh, suppress(FileNotFoundError):
                    kept.rename(fresh / kept.name)

    def _holds(self, kept: Path) -> bool:
        try:
            self.check(kept)
        except Damaged:
            return False
        return True

    # Keys ------------------------------------------------------------------------------------------

    def _record(self, key: str, suffix: str = ".json") -> Path:
        digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
        return self.folder / "sources" / f"{digest}{suffix}"

    def _object(self, digest: str) -> Path:
        return self.folder / "objects" / digest

    def _kept(self, key: str) -> Path | None:
        """The object of a key, if all its files are present in their sizes."""
        digest = _recorded(self._record(key))
        if digest is None:
            return None
        kept = self._object(digest)
        if objects.is_whole(kept):
            return kept
        if kept.exists():
            self._note_damage(key)
        return None

    def _note_damage(self, key: str) -> None:
        self.progress.note(f"the cached copy of {key} is damaged and is fetched again")

    def _key_of(self, kept: Path) -> str:
        """A key that an object is kept under."""
        for record in self._record("").parent.glob("*.json"):
            if _recorded(record) == kept.name:
                return str(json.loads(objects.read(record))["source"])
        return kept.name

    def _made(self, key: str, fill: Callable[[Path], object]) -> Path:
        with self._explained():
            self._object("").mkdir(parents=True, exist_ok=True)
            self._record(key).parent.mkdir(exist_ok=True)
            with _alone(self._record(key, ".lock")):
                return Cache(self.folder)._kept(key) or self._put(key, fill)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SourceError(
                "the cache cannot be written",
                where=str(self.folder),
                found=files.reason(error),
                hint="set BUNDLER_CACHE to a folder of yours",
            ) from error

    def _put(self, key: str, fill: Callable[[Path], object]) -> Path:
        with scratch(self.folder, "fetch") as fresh:
            content, record = fresh / "content", fresh / "record.json"
            content.mkdir()
            fill(content)
            index = objects.index_of(content)
            kept = self._object(objects.name_of(index))
            record.write_text(json.dumps({"source": key, "object": kept.name}) + "\n")
            sync(content)
            with _alone(objects.beside(kept, ".lock")):
                # Another source may have brought the same content already.
                if not objects.is_whole(kept):
                    objects.put(content, kept, fresh)
                objects.write_index(index, kept, fresh)
            record.replace(self._record(key))
        return kept


def _recorded(record: Path) -> str | None:
    """The name of the object in a record; None if the record is missing or spoilt."""
    try:
        found = json.loads(objects.read(record))["object"]
    except (SourceError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) and re.fullmatch("[0-9a-f]{64}", found) else None


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Exclude other threads and processes from this block, if they lock the same file."""
    place.touch()
    with closing(Lock(place)) as lock:
        lock.acquire()  # on a filesystem without locks, two may fetch the same, and one object stays
        yield
