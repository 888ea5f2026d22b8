"""The cache of fetched sources, by content: a source is fetched once, however many models it has.

    <cache>/objects/<sha256>/…              unpacked folders, by the digest of all that is in them
    <cache>/objects/<sha256>.json           their index: size and sha256 of each file
    <cache>/sources/<sha256 of key>.json    which object a package, URL or archive is, and facts of its fetch
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
from typing import Any, NamedTuple, TypeAlias

from bundler.disk import files, objects
from bundler.disk.locks import Lock
from bundler.disk.reach import USUAL, Reach
from bundler.disk.scratch import scratch
from bundler.disk.sync import sync
from bundler.errors import SourceError
from bundler.progress import SILENT, Progress

__all__ = ["Cache", "Damaged", "Facts", "Fetch", "Kept", "default_folder"]

Facts: TypeAlias = "Mapping[str, str]"
"""What is known of a fetch beside its files: the integrity of a package, the validators of addresses."""

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


class Kept(NamedTuple):
    """The folder of an object, and the facts of the fetch that filled it."""

    folder: Path
    facts: Facts


Fetch: TypeAlias = "Callable[[Path, Kept | None], Facts]"
"""Fills an empty folder from a server, and returns the facts. It gets what was fetched before, if that is whole."""


@dataclass(frozen=True)
class Cache:
    """The cache in `folder`, which need not be there yet. Notes on damaged objects go to `progress`.

    `reach` limits what is fetched.
    """

    folder: Path
    progress: Progress = SILENT
    reach: Reach = USUAL

    def get(self, key: str, fill: Callable[[Path], object]) -> Path:
        """The folder kept under `key`; if there is none, `fill` gets an empty folder to fill.

        Files that `fill` puts beside that folder are temporary, and removed. Of several callers, in this process or
        others, one fills the folder and the others wait. Raises what `fill` raises, and SourceError if the cache cannot
        be written.
        """
        return self._kept(key) or self._made(key, lambda folder, _: fill(folder))

    def fetched(self, key: str, fetch: Fetch) -> Path:
        """The folder of a source that `fetch` brings from a server, as far as the `reach` allows.

        Raises as `get` does, and SourceError if the run is offline and the source is not kept.
        """
        if self.reach.offline:
            return self._pinned(key) or self._kept_offline(key)
        if self.reach.refresh and key not in self.reach.asked:
            return self._made(key, fetch, anew=True)
        return self._pinned(key) or self._kept(key) or self._made(key, fetch)

    def kept(self, key: str) -> Kept | None:
        """What is kept under a key: the folder, whole as far as sizes show, and the facts of its fetch."""
        folder = self._kept(key)
        return None if folder is None else Kept(folder, _facts(self._record(key)))

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
        self._note_damage(key or self.key_of(kept))
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

    def _pinned(self, key: str) -> Path | None:
        """The object that the lock expects under a key."""
        digest = self.reach.pinned.get(key)
        kept = None if digest is None else self._object(digest)
        return kept if kept is not None and objects.is_whole(kept) else None

    def _kept_offline(self, key: str) -> Path:
        digest = _recorded(self._record(key))
        kept = None if digest is None else self._object(digest)
        if kept is None or not objects.is_whole(kept):
            state = "is damaged in the cache" if kept is not None and kept.exists() else "is not in the cache"
            raise SourceError(
                f"{state}, and this run is offline",
                hint="run once without --offline, or set BUNDLER_CACHE to a cache that has it",
            )
        return kept

    def _note_damage(self, key: str) -> None:
        self.progress.note(f"the cached copy of {key} is damaged and is fetched again")

    def key_of(self, kept: Path) -> str:
        """A key that an object is kept under."""
        for record in self._record("").parent.glob("*.json"):
            if _recorded(record) == kept.name:
                return str(json.loads(objects.read(record))["source"])
        return kept.name

    def _made(self, key: str, fetch: Callable[[Path, Kept | None], object], anew: bool = False) -> Path:
        with self._explained():
            self._object("").mkdir(parents=True, exist_ok=True)
            self._record(key).parent.mkdir(exist_ok=True)
            with _alone(self._record(key, ".lock")):
                there = Cache(self.folder).kept(key)
                if there and not (anew and key not in self.reach.asked):
                    return there.folder
                earlier = self._undamaged(there, key)
                made = self._put(key, lambda folder: fetch(folder, earlier))
                if anew:
                    self.reach.asked.add(key)
                return made

    def _undamaged(self, kept: Kept | None, key: str) -> Kept | None:
        """The same if each file of the object is what was fetched; else None, and the object is removed."""
        if kept is None or self._holds(kept.folder):
            return kept
        self.drop(kept.folder, key)
        return None

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
            facts = fill(content)
            index = objects.index_of(content)
            kept = self._object(objects.name_of(index))
            record.write_text(json.dumps(_entry(key, kept.name, facts)) + "\n")
            sync(content)
            with _alone(objects.beside(kept, ".lock")):
                # Another source may have brought the same content already.
                if not objects.is_whole(kept):
                    objects.put(content, kept, fresh)
                objects.write_index(index, kept, fresh)
            record.replace(self._record(key))
        return kept


def _entry(key: str, name: str, facts: object) -> Mapping[str, object]:
    """The record of a source; one that was not fetched has no facts."""
    known = {"facts": facts} if isinstance(facts, Mapping) and facts else {}
    return {"source": key, "object": name, **known}


def _facts(record: Path) -> Facts:
    """The facts in a record; none if they are missing or spoilt."""
    try:
        found = json.loads(objects.read(record))["facts"]
        return {str(name): str(value) for name, value in found.items()}
    except (SourceError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


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
