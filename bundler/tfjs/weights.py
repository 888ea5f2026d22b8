"""`weightsManifest` of a model.json: which bytes of which files are which weight.

The files of a group are one sequence of bytes. A weight may span files, and the weights fill the group to its last byte
(`decodeWeights` in tfjs-core/src/io/io_utils.ts, `write_weights.py` in tfjs-converter).
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bundler.artifacts import foreign
from bundler.artifacts.artifact import Artifact
from bundler.disk import files
from bundler.disk.shards import File, Group, Memory
from bundler.errors import ConversionError, SourceError, within
from bundler.ir.dtypes import DType
from bundler.ir.shapes import MOST_DIMENSIONS, element_count
from bundler.ir.weight import Affine, Weight
from bundler.tfjs import fields
from bundler.tfjs.fields import Json

__all__ = ["read_weights"]

_LISTED = 10
"""Files or sizes that an error lists."""
_LOOKED_AT = 100
"""Files of a group that are examined if its size is wrong."""
_WINDOW = 1 << 16
"""Bytes read at a time to find the ends of strings."""
_BOMB = "the weights take far more bytes than their files: they may be a bomb"
_STRING_BYTES = 16 << 20
"""Bytes that strings may unpack to, however small their files are: each is an object in memory while it is read."""
_STRING_RATIO = 10
"""How many times the size of their files strings may unpack to. Text reaches 4."""
_PIECE = 1 << 18
"""Bytes unpacked at a time to find the size of a file's content."""
_SCALED = (DType.uint8, DType.uint16)
_QUANTIZED = {dtype.name: dtype for dtype in (*_SCALED, DType.float16)}
_STORED = {dtype.name: dtype for dtype in (DType.float32, DType.int32, DType.bool, DType.string, DType.complex64)}
_STORED |= _QUANTIZED


class _Laid(NamedTuple):
    """The weights of one group, by name."""

    group: Group
    weights: Mapping[str, Weight]


def read_weights(artifact: Artifact) -> dict[str, Weight]:
    """The weights by name, without those of an optimizer.

    Raises SourceError if the files have fewer or more bytes than the weights need, or unpack to many times their size;
    ConversionError if an entry is malformed.
    """
    found: dict[str, Weight] = {}
    allowed = files.allowance(_packed_size(map(artifact.path, artifact.shards)))
    for index, (entry, names) in enumerate(zip(fields.tables(artifact.document, "weightsManifest"), artifact.groups)):
        with within(f"{artifact.entry}: weightsManifest[{index}]"):
            entries = fields.tables(entry, "weights")
            if artifact.data is not None:
                return dict(_lay_out(entries, Group((Memory(artifact.data),))).weights)
            group, weights = _read_group(entries, list(map(artifact.path, names)), allowed)
            allowed -= group.size
            if allowed < 0:
                raise SourceError(_BOMB)
        found |= weights
    return found


def _read_group(entries: Sequence[Json], paths: Sequence[Path], allowed: int) -> _Laid:
    """The weights of one group, whether or not its files are gzipped; they unpack to `allowed` bytes at most.

    Weights may begin with gzip's magic by chance. So the files are unpacked only if their own size is wrong.
    """
    plain = Group(tuple(map(_plain, paths)))
    try:
        return _lay_out(entries, plain)
    except SourceError:
        if not any(map(_is_gzipped, paths)):
            _refuse_foreign(paths)
            raise
        return _lay_out(entries, Group(tuple(_unpacked(paths, _needed(entries, paths), allowed))))


def _refuse_foreign(paths: Sequence[Path]) -> None:
    """Raise SourceError if a file is of another format, such as a page that a server sent in its place."""
    for path in paths[:_LOOKED_AT]:
        kind = foreign.of_shard(path)
        if kind is not None:
            raise SourceError(f"the shard {kind.what}", where=path.name, hint=kind.hint)


def _needed(entries: Sequence[Json], paths: Sequence[Path]) -> int:
    """The most bytes that weights take; those of strings depend on the content."""
    none, strings = Group(()), DType.string.name
    numbers = sum(_weight(entry, none, 0).stored_bytes for entry in entries if entry.get("dtype") != strings)
    if all(entry.get("dtype") != strings for entry in entries):
        return numbers
    return numbers + max(_STRING_BYTES, _STRING_RATIO * _packed_size(paths))


def _packed_size(paths: Iterable[Path]) -> int:
    """The bytes of files on disk. A file counts once, however often it is named."""
    return sum(_plain(path).size for path in set(paths))


def _plain(path: Path) -> File:
    with _reading(path):
        return File(path, path.stat().st_size)


def _is_gzipped(path: Path) -> bool:
    with _reading(path):
        return files.is_gzipped(path)


def _unpacked(paths: Sequence[Path], needed: int, allowed: int) -> Iterator[File]:
    """The files with the sizes of their contents. SourceError once they exceed `needed` or `allowed`."""
    if needed > allowed:
        raise SourceError(_BOMB)
    left = needed
    for path in paths:
        file = File(path, _content_size(path, left), gzipped=True) if _is_gzipped(path) else _plain(path)
        left -= file.size
        if left < 0:
            raise _misfit(paths, f"more than {needed:,} bytes", f"{needed:,}")
        yield file


def _content_size(path: Path, most: int) -> int:
    """The size of a gzip'ed file's content. Unpacking stops above `most`."""
    room, size = bytearray(_PIECE), 0
    with _reading(path), files.unpacked(path) as content:
        while size <= most and (count := content.readinto(room)):
            size += count
    return size


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError, zlib.error) as error:
        damaged = isinstance(error, (EOFError, gzip.BadGzipFile, zlib.error))
        what = "the compressed file is damaged" if damaged else "cannot be read"
        raise SourceError(what, where=path.name, found=files.reason(error)) from error


def _misfit(paths: Sequence[Path], found: str, expected: str, hint: str = "") -> SourceError:
    names = ", ".join(path.name for path in paths[:_LISTED]) or "no files"
    more = f" and {len(paths) - _LISTED:,} more" if len(paths) > _LISTED else ""
    return SourceError(f"the weights do not fit their files: {names}{more}", found=found, expected=expected, hint=hint)


def _lay_out(entries: Sequence[Json], group: Group) -> _Laid:
    """Each weight at its offset. SourceError unless the weights take all bytes of the group."""
    found: dict[str, Weight] = {}
    offset = 0
    for entry in entries:
        name = fields.text(entry, "name")
        with within(f"weight {name!r}"):
            weight = _weight(entry, group, offset)
        offset += weight.stored_bytes
        if entry.get("group") != "optimizer":
            found[name] = weight
    if offset != group.size:
        paths = [shard.path for shard in group.shards if isinstance(shard, File)]
        hint = "a download that was cut short? fetch the model again" if offset > group.size else ""
        if group.shards and not paths:
            size = f"{group.size:,} bytes"
            raise SourceError("the weights do not fit weightData", found=size, expected=f"{offset:,}", hint=hint)
        raise _misfit(paths, f"{group.size:,} bytes", f"{offset:,}", hint)
    return _Laid(group, found)


def _weight(entry: Json, group: Group, offset: int) -> Weight:
    dtype, shape = _dtype(entry, _STORED), _shape(entry)
    if dtype == DType.string:
        size = _string_bytes(group, offset, math.prod(shape))
        return Weight(dtype, shape, group, offset, size, DType.string)
    quantization = fields.table(entry, "quantization")
    stored = _dtype(quantization, _QUANTIZED) if quantization else dtype
    affine = _affine(quantization, stored, dtype) if quantization and stored in _SCALED else None
    return Weight(dtype, shape, group, offset, math.prod(shape) * stored.numpy.itemsize, stored, affine)


def _affine(quantization: Json, stored: DType, dtype: DType) -> Affine:
    if "scale" not in quantization or "min" not in quantization:
        raise ConversionError(f"quantized to {stored}, but without scale or min", found=str(dict(quantization)))
    return Affine(fields.number(quantization["scale"]), fields.number(quantization["min"]), dtype)


def _dtype(entry: Json, known: Mapping[str, DType]) -> DType:
    spelled = fields.text(entry, "dtype")
    found = known.get(spelled)
    if found is None:
        expected = ", ".join(known)
        raise ConversionError("is of a dtype that the format does not have", found=spelled, expected=expected)
    return found


def _shape(entry: Json) -> tuple[int, ...]:
    shape = tuple(map(fields.integer, fields.of(list, entry.get("shape") or [], "'shape'")))
    if min(shape, default=0) < 0:
        raise ConversionError("has a negative size", found=str(list(shape[:_LISTED])))
    if len(shape) > MOST_DIMENSIONS:
        raise ConversionError("has too many dimensions", found=f"{len(shape):,}", expected=f"at most {MOST_DIMENSIONS}")
    if element_count(shape) is None:
        raise ConversionError("has more elements than 64 bits can count", found=str(list(shape[:_LISTED])))
    return shape


def _string_bytes(group: Group, offset: int, count: int) -> int:
    """The bytes that `count` strings take, by their lengths in the file."""
    at, window, start = offset, b"", offset
    for _ in range(count):
        if at + 4 > group.size:
            raise SourceError("the strings do not fit their files", found=f"{group.size:,} bytes")
        if at + 4 > start + len(window):
            start, window = at, group.read(at, min(_WINDOW, group.size - at))
        at += 4 + int.from_bytes(window[at - start : at - start + 4], "little")
    return at - offset
