"""The message of a SavedModel, whole: what protobuf reads, to compare with."""

from __future__ import annotations

from pathlib import Path

from bundler.ir.protos import SavedModel
from bundler.outputs.savedmodel import FILE

__all__ = ["read"]


def read(folder: Path) -> SavedModel:
    """The SavedModel in a folder."""
    return SavedModel.FromString((folder / FILE).read_bytes())
