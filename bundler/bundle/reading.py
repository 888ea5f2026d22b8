"""The message of a SavedModel, read from its file."""

from __future__ import annotations

from pathlib import Path

from bundler.errors import SourceError
from bundler.ir.protos import SavedModel
from bundler.outputs.savedmodel import FILE

__all__ = ["read"]


def read(folder: Path) -> SavedModel:
    """The SavedModel in a folder. Raises SourceError if there is none, or it is damaged."""
    path, saved = folder / FILE, SavedModel()
    try:
        saved.ParseFromString(path.read_bytes())
    except OSError as error:
        raise SourceError("cannot be read", where=str(path), found=error.strerror or str(error)) from error
    except Exception as error:
        # Each implementation of protobuf has a DecodeError of its own.
        raise SourceError("this is no SavedModel", where=str(path), found=str(error)) from error
    return saved
