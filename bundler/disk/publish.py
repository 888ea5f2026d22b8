"""Output appears whole or not at all: a bundle is built beside its place and put there by one rename.

Until that rename the old output is untouched; it stays if the build fails. On Linux an old bundle and the new one swap
places in one step (renameat2 with RENAME_EXCHANGE), so that a server that watches the folder never misses it.
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

__all__ = ["RECORD", "free", "publishing", "publishing_file", "replaceable", "sweep_beside"]

RECORD = "assets.extra/bundle.json"
"""The file that marks a folder as a bundle."""

_ASIDE = ".old.part"
"""The end of the name of an old bundle, while a new one takes its place in several renames."""

_CHANGED_MEANWHILE = (errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY)
"""Another build of the same output moved it between our check and our rename."""


def replaceable(output: Path, *, force: bool, inputs: Iterable[Path] = ()) -> None:
    """Raise BundlerError if `output` must not be replaced, or cannot be written.

    A build may take a free path, an empty folder, and a bundle, but not a path inside another bundle. With `force` it
    may take anything but the folders that hold the user's home, the current folder or one of `inputs`, which are the
    manifest and the sources.
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
            "the output exists, and bundler did not write it",
            where=str(output),
            expected=f"nothing, an empty folder, or one with {RECORD}",
            hint="name another output, or replace this one with --force",
        )
    if not force and (place.parent / RECORD).is_file():
        raise BundlerError(
            "the output lies in another bundle, whose next build would remove it",
            where=str(output),
            found=str(place.parent),
            hint="remove that bundle, or name another output",
        )


def sweep_beside(output: Path) -> None:
    """Remove what killed builds of this output left. An old bundle goes back if the kill came between two renames."""
    place = output.resolve()
    sweep(place.parent, place.name)
    pattern = re.compile(rf"\.{re.escape(place.name)}\.[0-9a-f]{{8}}{re.escape(_ASIDE)}")
    with suppress(OSError):
        for aside in [path for path in place.parent.iterdir() if pattern.fullmatch(path.name)]:
            _put_back(aside, place)


@contextmanager
def publishing(output: Path, *, force: bool = False, inputs: Iterable[Path] = ()) -> Iterator[Path]:
    """A new folder to build in, which becomes `output` if the block does not raise.

    It lies beside the output under a hidden name, which TF Serving does not take for a version. If the block raises, it
    is removed, and every folder that was made to hold it. Of several builds of one output, the last one stays. Raises
    BundlerError as `replaceable` does, and if the system refuses to write.
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
def publishing_file(output: Path, *, force: bool = True, inputs: Iterable[Path] = ()) -> Iterator[Path]:
    """The same for one file: a path to write to, which becomes `output` if the block does not raise.

    With `force` an old file is replaced, unless it is one of `inputs`. Raises BundlerError if it is not to be replaced,
    if `output` is no regular file, or if the system refuses to write.
    """
    place = output.resolve()
    free(output, force=force)
    if place.exists() and not place.is_file():
        kind = "a folder" if place.is_dir() else "no file"
        raise BundlerError(f"this is {kind}", where=str(output), expected="the name of a file")
    _refuse_inputs(output, inputs)
    _check_ground(output)
    with _explained(output), _folder(place.parent), scratch(place.parent, place.name) as fresh:
        yield fresh / place.name
        sync(fresh)
        free(output, force=force)
        (fresh / place.name).replace(place)
        sync_entries(place.parent)


def free(output: Path, *, force: bool) -> None:
    """Raise BundlerError if there is a file, which only `force` may replace."""
    if not force and os.path.lexists(output):
        hint = "name another file, or replace this one with --force"
        raise BundlerError("there is such a file", where=str(output), hint=hint)


@contextmanager
def _explained(output: Path) -> Iterator[None]:
    """Turn an OSError of the block into a BundlerError: the disk is full, or went away."""
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
        # Both a link and its target are inputs.
        if any(end.is_relative_to(place) for end in (path.resolve(), path.parent.resolve() / path.name)):
            raise BundlerError(
                "the output would replace one of its own inputs",
                where=str(output),
                found=str(path),
                hint="name another output",
            )


def _check_ground(output: Path) -> None:
    ground = next(parent for parent in output.resolve().parents if parent.exists())
    if not (ground.is_dir() and os.access(ground, os.W_OK)):
        raise BundlerError(
            "the output's folder cannot be written", where=str(output), found=f"{ground} is no folder of yours"
        )


def _is_ours(place: Path) -> bool:
    try:
        return (place / RECORD).is_file() or not any(place.iterdir())
    except NotADirectoryError:
        return False
    except FileNotFoundError:  # another build took it away meanwhile, to put its own there
        return True


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """Make a folder if need be. If the block raises, remove it and the parents that were made for it."""
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
    """Rename `fresh` to `place`; an old output ends up under the name of `fresh`."""
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
    """Swap two paths: in one step if the system can, else in three renames."""
    try:
        _exchange_at_once(one, other)
    except NotImplementedError:
        _exchange_in_turn(one, other)


def _exchange_at_once(one: Path, other: Path) -> None:
    """renameat2(2), Linux 3.15. NotImplementedError if system, libc or filesystem lack it."""
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
    # No name that `scratch` removes: if we are killed here, this is the only whole bundle.
    aside = one.with_name(f"{one.stem}{_ASIDE}")
    other.rename(aside)
    try:
        one.rename(other)
    except BaseException:
        _put_back(aside, other)
        raise
    aside.rename(one)


def _put_back(aside: Path, place: Path) -> None:
    """Undo a rename. If another build has taken the place meanwhile, remove the old output."""
    try:
        aside.rename(place)
    except OSError:
        if not place.exists():
            raise
        discard(aside)
