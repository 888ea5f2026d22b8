"""The folder of a SavedModel behind what a user names, and what is meant if it is something else."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

from bundler.disk.files import kind, mode
from bundler.errors import BundlerError, SourceError
from bundler.outputs.savedmodel import FILE

__all__ = ["folder_of", "is_bundle", "refuse_irregular"]


def is_bundle(path: Path) -> bool:
    """Whether a folder holds a SavedModel."""
    try:
        return (path / FILE).is_file()
    except (OSError, ValueError):  # a source that is no path: too long, or with a NUL
        return False


def folder_of(path: Path) -> Path:
    """The folder of a SavedModel: the path itself, or that of its file. SourceError says what the path is instead."""
    if is_bundle(path):
        return path
    if path.name == FILE and is_bundle(path.parent):
        return path.parent
    refuse_irregular(path)
    raise _instead(path)


def refuse_irregular(path: Path) -> None:
    """Raise SourceError if what a folder has in place of a SavedModel's file is a pipe, a device or a folder."""
    file = path if path.name == FILE else path / FILE
    with suppress(OSError):  # a source that is no path
        found = mode(file)
        if found and not stat.S_ISREG(found):
            raise SourceError("is no regular file", where=str(file), found=kind(found))


def _instead(path: Path) -> SourceError:
    """What a path is that is no SavedModel, and what the user may have meant."""
    if path.suffix == ".toml" and path.is_file():
        what, hint = "this is a manifest, not the SavedModel that is built from it", _of_manifest(path)
    elif path.suffix == ".json" or (path / "model.json").is_file():
        what, hint = "this is a TensorFlow.js model, no SavedModel", "make one of it with `bundler convert`"
    elif path.is_dir():
        what, hint = f"there is no {FILE} in this folder", _version_of(path)
    else:
        what, hint = "this is no SavedModel" if path.exists() else "there is no such file or folder", ""
    return SourceError(what, where=str(path), hint=hint)


def _of_manifest(path: Path) -> str:
    from bundler import manifest  # needs pydantic, which takes as long to load as the rest

    try:
        output = manifest.read(path).output()
    except BundlerError:
        return "`bundler check` shows what is wrong with it"
    return f"its bundle is {output}" if is_bundle(output) else f"`bundler build {path}` makes it, in {output}"


def _version_of(folder: Path) -> str:
    """A hint to the newest of the version folders that TensorFlow Serving watches."""
    versions = [path for path in folder.iterdir() if path.name.isdecimal() and path.name.isascii() and is_bundle(path)]
    return f"its newest version is {max(versions, key=lambda path: int(path.name))}" if versions else ""
