"""`weightsManifest` of a model.json: which bytes of which files are which weight.

The files of a group are read as one; a weight may span them, and the weights fill the group to its
last byte (`decodeWeights` in tfjs-core/src/io/io_utils.ts, `write_weights.py` in tfjs-converter).
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from bundler.artifact import Artifact
from bundler.dtypes import DType
from bundler.errors import ConversionError, SourceError, within
from bundler.weight import Affine, File, Group, Weight

__all__ = ["read_weights"]

Json: TypeAlias = Mapping[str, Any]
_GZIP = b"\x1f\x8b"
_SCALED = (DType.uint8, DType.uint16)


def read_weights(artifact: Artifact) -> dict[str, Weight]:
    """The weights by name; those of an optimizer are left out.

    Raises SourceError when the files hold fewer or more bytes than the weights need, ConversionError
    when an entry makes no sense.
    """
    found: dict[str, Weight] = {}
    for index, entry in enumerate(artifact.document.get("weightsManifest") or ()):
        with within(f"{artifact.entry}: weightsManifest[{index}]"):
            paths = [artifact.path(name) for name in entry["paths"]]
            found |= _read_group(entry["weights"], paths)
    return found


def _read_group(entries: Iterable[Json], paths: Iterable[Path]) -> dict[str, Weight]:
    """The weights of one group, whether or not its files are gzipped.

    Weights may begin with gzip's magic by chance, so the plain reading goes first: only where its size
    is wrong are the files taken as compressed.
    """
    entries, paths = list(entries), list(paths)
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
        except (EOFError, gzip.BadGzipFile) as error:
            raise SourceError("the compressed file is damaged", found=str(error)) from error


def _lay_out(entries: Iterable[Json], group: Group) -> dict[str, Weight]:
    """Each weight at its offset. The bytes used must be the bytes present."""
    found: dict[str, Weight] = {}
    offset = 0
    for entry in entries:
        with within(f"weight {entry.get('name', '')!r}"):
            weight = _weight(entry, group, offset)
        offset += weight.stored_bytes
        if entry.get("group") != "optimizer":
            found[entry["name"]] = weight
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
    dtype, shape = _dtype(entry["dtype"]), tuple(int(size) for size in entry.get("shape") or ())
    quantization = entry.get("quantization")
    if dtype == DType.string:
        size = _string_bytes(group, offset, math.prod(shape))
        return Weight(dtype, shape, group, offset, size, DType.string)
    stored = _dtype(quantization["dtype"]) if quantization else dtype
    size = math.prod(shape) * stored.numpy.itemsize
    return Weight(dtype, shape, group, offset, size, stored, _affine(quantization, stored))


def _affine(quantization: Json | None, stored: DType) -> Affine | None:
    if quantization is None or stored not in _SCALED:
        return None
    if "scale" not in quantization or "min" not in quantization:
        raise ConversionError(f"quantized to {stored}, but without scale or min", found=str(dict(quantization)))
    return Affine(float(quantization["scale"]), float(quantization["min"]))


def _dtype(spelled: str) -> DType:
    try:
        return DType.parse(spelled)
    except ValueError as error:
        raise ConversionError(str(error)) from None


def _string_bytes(group: Group, offset: int, count: int) -> int:
    """How many bytes `count` strings take: only reading their lengths tells."""
    at = offset
    for _ in range(count):
        if at + 4 > group.size:
            raise SourceError("the strings do not fit their files", found=f"{group.size:,} bytes")
        at += 4 + int.from_bytes(group.read(at, 4), "little")
    return at - offset
