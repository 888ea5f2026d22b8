"""The signatures of a SavedModel, read without its graphs: they hold the weights, which may be gigabytes."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bundler.disk.files import opened, reason
from bundler.encoding.message import numbers
from bundler.errors import SourceError
from bundler.ir.protos import MetaGraphDef, SavedModel
from bundler.outputs.savedmodel import FILE

__all__ = ["interface"]

_META_GRAPHS = numbers(SavedModel, "meta_graphs")
_KEPT = numbers(MetaGraphDef, "meta_info_def", "signature_def")

_VARINT, _EIGHT_BYTES, _LENGTH_DELIMITED, _FOUR_BYTES = 0, 1, 2, 5
"""Wire types: https://protobuf.dev/programming-guides/encoding/#structure"""
_MOST_BYTES_OF_A_VARINT = 10


class _Field(NamedTuple):
    """A string or message of a file: from the tag at `start`, its content from `inner` to `end`."""

    number: int
    start: int
    inner: int
    end: int


def interface(folder: Path) -> list[MetaGraphDef]:
    """The MetaGraphs of the SavedModel in a folder, with their tags and signatures alone.

    Raises SourceError if there is no SavedModel, or it is damaged.
    """
    path = folder / FILE
    try:
        with opened(path) as raw, os.fdopen(os.dup(raw.fileno()), "rb") as file:
            return [_metagraph(file, found) for found in _fields(file, 0, _size(file), _META_GRAPHS)]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError("this is no SavedModel", where=str(folder), hint=_other(folder)) from error
    except OSError as error:
        raise SourceError("cannot be read", where=str(path), found=reason(error)) from error
    except Exception as error:
        # Each implementation of protobuf has a DecodeError of its own.
        raise SourceError("this is no SavedModel", where=str(path), found=str(error)) from error


def _other(path: Path) -> str:
    """A hint for a path that is no SavedModel: it may be a manifest, a model, or a folder of versions."""
    if path.suffix == ".toml":
        return f"`bundler build {shlex.quote(str(path))}` builds the bundle of a manifest: name its folder"
    if (path / "model.json").is_file() or path.suffix == ".json":
        return f"`bundler convert {shlex.quote(str(path))} OUTPUT --output_format tf_saved_model` makes one of a model"
    versions = sorted(found.parent for found in path.glob(f"*/{FILE}"))
    return f"did you mean {versions[-1]}?" if versions else ""


def _metagraph(file: BinaryIO, metagraph: _Field) -> MetaGraphDef:
    kept = MetaGraphDef()
    for field in _fields(file, metagraph.inner, metagraph.end, _KEPT):
        file.seek(field.start)
        kept.MergeFromString(file.read(field.end - field.start))
    return kept


def _fields(file: BinaryIO, at: int, end: int, wanted: tuple[int, ...]) -> Iterator[_Field]:
    """The strings and messages of these numbers in a message that lies between two places. ValueError for damage."""
    while at < end:
        file.seek(at)
        number, kind = divmod(_varint(file), 8)
        size = _content_size(file, kind)
        field = _Field(number, at, file.tell(), file.tell() + size)
        if field.end > end:
            raise ValueError("the file is cut short")
        if kind == _LENGTH_DELIMITED and number in wanted:
            yield field
        at = field.end


def _content_size(file: BinaryIO, kind: int) -> int:
    """The bytes that follow the place in the file up to the end of a field of this wire type."""
    if kind == _VARINT:
        _varint(file)
        return 0
    if kind == _LENGTH_DELIMITED:
        return _varint(file)
    if kind in (_EIGHT_BYTES, _FOUR_BYTES):
        return 8 if kind == _EIGHT_BYTES else 4
    raise ValueError(f"wire type {kind}")


def _varint(file: BinaryIO) -> int:
    value = 0
    for at in range(_MOST_BYTES_OF_A_VARINT):
        byte = file.read(1)
        if not byte:
            raise ValueError("the file is cut short")
        value |= (byte[0] & 0x7F) << 7 * at
        if byte[0] < 0x80:
            return value
    raise ValueError("a number has too many bytes")


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
