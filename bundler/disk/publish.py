"""All or nothing on disk: a bundle is built beside its place and put there by one rename.

Until that rename whatever stands at the output is untouched, and it stays so when the build fails.
On Linux an old bundle and the new one change places in one step (renameat2 with RENAME_EXCHANGE),
so that a server which watches the folder never sees it missing.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bundler.disk.scratch import discard, scratch, sweep
from bundler.disk.sync import sync, sync_entries
from bundler.errors import BundlerError

__all__ = ["RECORD", "publishing", "publishing_file", "replaceable", "sweep_beside"]

RECORD = "assets.extra/bundle.json"
"""The file by which a folder is known to be a bundle."""

_ASIDE = ".old.part"
"""How the name of an old bundle ends while a new one takes its place in several renames."""

_CHANGED_MEANWHILE = (errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY)
"""Another build of the same output took it away, or put it there, between our look and our rename."""


def replaceable(output: Path, *, force: bool, inputs: Iterable[Path] = ()) -> None:
    """Raise BundlerError when `output` is not ours to replace, or cannot be written.

    Free to take are a path where nothing stands, an empty folder, and a bundle. With `force`, anything but the folders
    that hold the user's home, the current folder or one of `inputs`, which are the manifest and the sources.
    """
    place = output.resolve()
    if any(kept.is_relative_to(place) for kept in _never_replaced()):
        raise BundlerError(
            "this folder is never replaced", where=str(output), hint="name a new folder inside it as the output"
        )
    _refuse_inputs(output, inputs)
    _check_ground(output)
    if not (force or not place.exists() or _is_ours(place)):
        raise BundlerError(
            "something stands here that bundler did not write",
            where=str(output),
            expected=f"nothing, an empty folder, or one with {RECORD}",
            hint="name another output, or replace this one with --force",
        )


def sweep_beside(output: Path) -> None:
    """Remove what killed builds of this output left; the old bundle goes back if a kill came between two renames."""
    place = output.resolve()
    sweep(place.parent, place.name)
    pattern = re.compile(rf"\.{re.escape(place.name)}\.[0-9a-f]{{8}}{re.escape(_ASIDE)}")
    with suppress(OSError):
        for aside in [path for path in place.parent.iterdir() if pattern.fullmatch(path.name)]:
            _put_back(aside, place)


@contextmanager
def publishing(output: Path, *, force: bool = False, inputs: Iterable[Path] = ()) -> Iterator[Path]:
    """A new folder to build in, that becomes `output` when the block ends well.

    It lies beside the output under a hidden name that is no version number to TF Serving. When the
    block raises, it is removed, with every folder that was made to hold it. Of several builds of
    one output, the last to end stays. Raises BundlerError as `replaceable` does, and where the system refuses to write.
    """
    place, inputs = output.resolve(), list(inputs)
    replaceable(output, force=force, inputs=inputs)
    with _explained(output), _folder(place.parent), scratch(place.parent, place.name) as fresh:
        yield fresh
        sync(fresh)
        replaceable(output, force=force, inputs=inputs)
        _put(fresh, place)
        sync_entries(place.parent)


@contextmanager
def publishing_file(output: Path, *, inputs: Iterable[Path] = ()) -> Iterator[Path]:
    """The same for one file: a path to write to, that takes the place of `output` when the block ends well.

    A file that stands there is replaced, unless it is one of `inputs`. Raises BundlerError if it is, if `output` is
    anything but a file, or if nothing can be written.
    """
    place = output.resolve()
    if place.exists() and not place.is_file():
        kind = "a folder" if place.is_dir() else "no file"
        raise BundlerError(f"this is {kind}", where=str(output), expected="the name of a file")
    _refuse_inputs(output, inputs)
    _check_ground(output)
    with _explained(output), _folder(place.parent), scratch(place.parent, place.name) as fresh:
        yield fresh / place.name
        sync(fresh)
        (fresh / place.name).replace(place)
        sync_entries(place.parent)


@contextmanager
def _explained(output: Path) -> Iterator[None]:
    """What the system refuses while the output is made, as an error: a disk that is full, or went away."""
    try:
        yield
    except OSError as error:
        raise BundlerError("cannot be written", where=str(output), found=error.strerror or str(error)) from error


def _never_replaced() -> Iterator[Path]:
    yield Path.cwd()
    home = Path(os.path.expanduser("~"))
    if home.is_absolute():  # a user without an entry in the password database, in a container, may have none
        yield home.resolve()


def _refuse_inputs(output: Path, inputs: Iterable[Path]) -> None:
    place = output.resolve()
    for path in inputs:
        # A link inside the output is an input as much as what it points to.
        if any(end.is_relative_to(place) for end in (path.resolve(), path.parent.resolve() / path.name)):
            raise BundlerError(
                "the output would replace what it is made from",
                where=str(output),
                found=str(path),
                hint="name another output",
            )


def _check_ground(output: Path) -> None:
    ground = next(parent for parent in output.resolve().parents if parent.exists())
    if not (ground.is_dir() and os.access(ground, os.W_OK)):
        raise BundlerError("nothing can be written here", where=str(output), found=f"{ground} is no folder of yours")


def _is_ours(place: Path) -> bool:
    try:
        return (place / RECORD).is_file() or not any(place.iterdir())
    except NotADirectoryError:
        return False
    except FileNotFoundError:  # another build took it away meanwhile, to put its own there
        return True


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """See that a folder is there, and remove what was made for it when the block raises."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # others may have put something there meanwhile
            for path in made:
                path.rmdir()
        raise


def _put(fresh: Path, place: Path, attempts: int = 100) -> None:
    """Rename `fresh` to `place`; what stood there ends up under the name of `fresh`."""
    try:
        if place.exists():
            _exchange(fresh, place)
        else:
            fresh.rename(place)
    except OSError as error:
        if attempts == 1 or error.errno not in _CHANGED_MEANWHILE:
            raise
        _put(fresh, place, attempts - 1)


def _exchange(one: Path, other: Path) -> None:
    """Let two paths change places: at once where the system can, else in three renames."""
    try:
        _exchange_at_once(one, other)
    except NotImplementedError:
        _exchange_in_turn(one, other)


def _exchange_at_once(one: Path, other: Path) -> None:
    """renameat2(2), Linux 3.15. NotImplementedError where system, libc or filesystem lack it."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if sys.platform == "linux" else None
    if renameat2 is None:
        raise NotImplementedError
    at_cwd, exchange = -100, 2
    if renameat2(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), exchange) == 0:
        return
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        raise NotImplementedError
    raise OSError(code, os.strerror(code), str(one), None, str(other))


def _exchange_in_turn(one: Path, other: Path) -> None:
    # Not a name that `scratch` clears away: if we are killed here, it is the only whole bundle.
    aside = one.with_name(f"{one.stem}{_ASIDE}")
    other.rename(aside)
    try:
        one.rename(other)
    except BaseException:
        _put_back(aside, other)
        raise
    aside.rename(one)


def _put_back(aside: Path, place: Path) -> None:
    """Undo a renaming, unless another build has taken the place: then what stood there is old."""
    try:
        aside.rename(place)
    except OSError:
        if not place.exists():
            raise
        discard(aside)
