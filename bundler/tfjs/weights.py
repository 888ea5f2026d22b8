"""`weightsManifest` of a model.json: which bytes of which files are which weight.

The files of a group are read as one; a weight may span them, and the weights fill the group to its
last byte (`decodeWeights` in tfjs-core/src/io/io_utils.ts, `write_weights.py` in tfjs-converter).
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from bundler.artifact import Artifact
from bundler.dtypes import DType
from bundler.errors import ConversionError, SourceError, within
from bundler.shards import File, Group
from bundler.tfjs import fields
from bundler.tfjs.fields import Json
from bundler.weight import Affine, Weight

__all__ = ["read_weights"]

_GZIP = b"\x1f\x8b"
_WINDOW = 1 << 16
"""Bytes read at a time to find where strings end."""
_SCALED = (DType.uint8, DType.uint16)
_QUANTIZED = {dtype.name: dtype for dtype in (*_SCALED, DType.float16)}
_STORED = {dtype.name: dtype for dtype in (DType.float32, DType.int32, DType.bool, DType.string, DType.complex64)}
_STORED |= _QUANTIZED


def read_weights(artifact: Artifact) -> dict[str, Weight]:
    """The weights by name; those of an optimizer are left out.

    Raises SourceError when the files hold fewer or more bytes than the weights need, ConversionError
    when an entry makes no sense.
    """
    found: dict[str, Weight] = {}
    for index, (entry, names) in enumerate(zip(fields.tables(artifact.document, "weightsManifest"), artifact.groups)):
        with within(f"{artifact.entry}: weightsManifest[{index}]"):
            found |= _read_group(fields.tables(entry, "weights"), [artifact.path(name) for name in names])
    return found


def _read_group(entries: Sequence[Json], paths: Sequence[Path]) -> dict[str, Weight]:
    """The weights of one group, whether or not its files are gzipped.

    Weights may begin with gzip's magic by chance, so the plain reading goes first: only where its size
    is wrong are the files taken as compressed.
    """
    plain = Group(tuple(File(path, path.stat().st_size) for path in paths))
    try:
        return _lay_out(entries, plain)
    except SourceError:
        if not any(_is_gzipped(path) for path in paths):
            raise
        return _lay_out(entries, Group(tuple(map(_unpacked, paths))))


def _is_gzipped(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _unpacked(path: Path) -> File:
    if not _is_gzipped(path):
        return File(path, path.stat().st_size)
    with within(path.name), gzip.open(path) as file:
        try:
            return File(path, file.seek(0, 2), gzipped=True)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise SourceError("the compressed file is damaged", found=str(error)) from error


def _lay_out(entries: Sequence[Json], group: Group) -> dict[str, Weight]:
    """Each weight at its offset. The bytes used must be the bytes present."""
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
        names = ", ".join(shard.path.name for shard in group.shards if isinstance(shard, File)) or "no files"
        raise SourceError(
            f"the weights do not fit their files: {names}",
            found=f"{group.size:,} bytes",
            expected=f"{offset:,}",
            hint="a download that was cut short? fetch the model again" if offset > group.size else "",
        )
    return found


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
        raise ConversionError("has a negative size", found=str(list(shape)))
    return shape


def _string_bytes(group: Group, offset: int, count: int) -> int:
    """How many bytes `count` strings take: only reading their lengths tells."""
    at, window, start = offset, b"", offset
    for _ in range(count):
        if at + 4 > group.size:
            raise SourceError("the strings do not fit their files", found=f"{group.size:,} bytes")
        if at + 4 > start + len(window):
            start, window = at, group.read(at, min(_WINDOW, group.size - at))
        at += 4 + int.from_bytes(window[at - start : at - start + 4], "little")
    return at - offset
