"""What was fetched, kept by content: a source is fetched once, however many models ask for it.

    <cache>/objects/<sha256>/…              unpacked folders, by the digest of all that is in them
    <cache>/sources/<sha256 of key>.json    which object a package, URL or archive is
    <cache>/sources/<sha256 of key>.lock    held by the one thread or process that fetches it

Everything is written beside its place and renamed to it, so a fetch that was cut short counts for
nothing. Both folders may be deleted at any time: what is missing is fetched again. (What TensorFlow was asked for
lies in a third, see `bundler.shapes`.)
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bundler import artifact
from bundler.errors import SourceError
from bundler.scratch import scratch, sync

__all__ = ["Cache", "default_folder"]

_PLATFORM_FOLDERS = {
    "win32": ("LOCALAPPDATA", "~/AppData/Local"),
    "darwin": ("", "~/Library/Caches"),
}
"""The variable that names the user's cache folder, and its place where the variable is not set."""
_XDG_FOLDER = ("XDG_CACHE_HOME", "~/.cache")


def default_folder() -> Path:
    """`BUNDLER_CACHE`, else `bundler` in the platform's folder for the user's caches."""
    variable, place = _PLATFORM_FOLDERS.get(sys.platform, _XDG_FOLDER)
    own = os.environ.get("BUNDLER_CACHE")
    return Path(own or Path(os.environ.get(variable) or place, "bundler")).expanduser().absolute()


@dataclass(frozen=True)
class Cache:
    """The cache in `folder`, which need not be there yet."""

    folder: Path

    def get(self, key: str, fill: Callable[[Path], object]) -> Path:
        """The folder kept under `key`; where there is none, `fill` is given an empty one to fill.

        What `fill` puts beside that folder is dropped: there is room for an archive on its way.
        Of several callers, in this process or others, one fills it and the rest wait. Raises what
        `fill` raises, and SourceError where the cache cannot be written.
        """
        return self._kept(key) or self._made(key, fill)

    def _record(self, key: str, suffix: str = ".json") -> Path:
        return self.folder / "sources" / (hashlib.sha256(key.encode()).hexdigest() + suffix)

    def _object(self, digest: str) -> Path:
        return self.folder / "objects" / digest

    def _kept(self, key: str) -> Path | None:
        try:
            kept = self._object(json.loads(self._record(key).read_bytes())["object"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return kept if kept.is_dir() else None

    def _made(self, key: str, fill: Callable[[Path], object]) -> Path:
        try:
            self._object("").mkdir(parents=True, exist_ok=True)
            self._record(key).parent.mkdir(exist_ok=True)
            with _alone(self._record(key, ".lock")):
                return self._kept(key) or self._put(key, fill)
        except OSError as error:
            raise SourceError(
                "the cache cannot be written",
                where=str(self.folder),
                found=str(error),
                hint="set BUNDLER_CACHE to a folder of yours",
            ) from error

    def _put(self, key: str, fill: Callable[[Path], object]) -> Path:
        with scratch(self.folder, "fetch") as fresh:
            content, record = fresh / "content", fresh / "record.json"
            content.mkdir()
            fill(content)
            digest = artifact.digest(artifact.digests(content, _files(content)))
            record.write_text(json.dumps({"source": key, "object": digest}) + "\n")
            sync(content)
            _move(content, self._object(digest))
            record.replace(self._record(key))
        return self._object(digest)


def _move(content: Path, place: Path) -> None:
    try:
        content.rename(place)
    except OSError:
        # Another source may have brought the same content already.
        if not place.is_dir():
            raise


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other thread or process is in here with the same file, then keep them out."""
    with lock.open("ab") as file:
        # Where the filesystem has no locks, two may fetch the same: a waste, but no harm.
        with suppress(OSError):
            _wait_for(file)
        yield


if sys.platform == "win32":
    import msvcrt

    def _wait_for(file: IO[bytes]) -> None:
        file.seek(0)
        while True:
            # LK_LOCK gives up after ten seconds.
            with suppress(OSError):
                return msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _wait_for(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
