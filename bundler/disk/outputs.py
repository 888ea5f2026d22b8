"""What the cache remembers of an output: how its files were when they were written.

A file is unchanged if its size, times and inode are, as git takes it for its index
(https://git-scm.com/docs/racy-git): no program can set the time of the last change of an inode. So an output is known
again without reading it, by the user who built it. A copy on another machine is a folder that the cache does not know.

    <cache>/outputs/<sha256 of the folder's path>.json
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple, TypeAlias

from bundler.disk.cache import default_folder
from bundler.disk.locks import Lock
from bundler.disk.scratch import scratch
from bundler.errors import SourceError

__all__ = ["State", "recall", "remember", "state_of"]

_Stamp: TypeAlias = "tuple[int, int, int, int]"
_LARGEST = 1 << 26
"""Bytes of what is kept of one output."""


class State(NamedTuple):
    """The files of an output, by name: size in bytes, times of change in ns, inode. `checked`: TensorFlow loaded it."""

    files: Mapping[str, _Stamp]
    checked: bool

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(size for size, *_ in self.files.values())

    def holds_of(self, folder: Path) -> bool:
        """Whether the files in a folder are as they were. Further files do not matter."""
        return bool(self.files) and all(_stamp(folder / name) == stamp for name, stamp in self.files.items())


def state_of(folder: Path, *, checked: bool) -> State:
    """The state of the files in a folder. A rename of the folder does not change it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): _stamp(path) for path in paths}
    return State({name: stamp for name, stamp in found.items() if stamp}, checked)


def remember(folder: Path, state: State) -> None:
    """Keep the state of the output at `folder`. If the cache cannot be written, the next build builds again.

    Of several builds of one output, the state of the one that stayed is kept: under the lock, a state that the folder
    does not have any more is not written, and the last to publish writes after it published.
    """
    with suppress(OSError, SourceError):
        place = _place(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        with closing(Lock(place.parent)) as lock:
            lock.acquire()
            if state.holds_of(folder):
                _write(place, json.dumps(state._asdict()) + "\n")


def recall(folder: Path) -> State | None:
    """The state that was kept of the output at `folder`; None if there is none, or it is spoilt."""
    try:
        place = _place(folder)
        if not stat.S_ISREG(place.stat().st_mode) or place.stat().st_size > _LARGEST:
            return None
        kept = json.loads(place.read_bytes())
        files = {str(name): _four(*stamp) for name, stamp in kept["files"].items()}
        return State(files, kept["checked"] is True)
    except (OSError, SourceError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _write(place: Path, text: str) -> None:
    with scratch(place.parent, place.stem) as fresh:
        made = fresh / place.name
        made.write_text(text)
        made.replace(place)


def _place(folder: Path) -> Path:
    path = os.fsencode(folder.resolve())
    return default_folder() / "outputs" / f"{hashlib.sha256(path).hexdigest()}.json"


def _four(size: int, modified: int, changed: int, inode: int) -> _Stamp:
    return size, modified, changed, inode


def _stamp(path: Path) -> _Stamp | None:
    """None if there is no such file."""
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return None
    regular = stat.S_ISREG(found.st_mode)
    return _four(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino) if regular else None
