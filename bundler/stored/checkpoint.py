"""The variables of a checkpoint, read in place: each becomes a `Weight` in its data file.

A checkpoint is a table of names (`variables.index`, in the format of LevelDB's tables) and data files with the bytes of
the tensors. TensorFlow writes its tables without compression.

Source: tensorflow/core/util/tensor_bundle/tensor_bundle.cc, tensor_bundle.proto; tsl/lib/io/format.cc, block.cc.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from bundler.disk import files
from bundler.disk.shards import File, Group
from bundler.encoding.wire import Bytes, Field, fields, varint
from bundler.ir.dtypes import DType
from bundler.ir.protos import TensorShapeProto
from bundler.ir.shapes import element_count
from bundler.ir.weight import Weight
from bundler.outputs.checkpoint import prefix
from bundler.stored.reading import explained

__all__ = ["read_checkpoint"]

_MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
_FOOTER = 48
_TRAILER = 5
"""Bytes after a block: its compression, and a checksum."""
_MOST_BYTES = 1 << 28
"""Bytes of a table of names: a million variables take 100 MB."""
_MOST_ENTRIES, _MOST_SPELLED = 1 << 20, 1 << 27
"""Variables, and bytes of their names as they are spelled out."""
_MOST_OF_AN_ENTRY = 1 << 16
"""Bytes of what is known of a variable: its dtype, its shape, its place."""
_SHARDS = 1
"""The field of the header with the number of data files."""
_DTYPE, _SHAPE, _SHARD, _OFFSET, _SIZE, _SLICES = 1, 2, 3, 4, 5, 7
"""The fields of an entry."""


class _Handle(NamedTuple):
    """The place of a block in the table."""

    offset: int
    size: int


def read_checkpoint(folder: Path) -> dict[str, Weight]:
    """The variables of the SavedModel in a folder, by their names in the checkpoint; none if it has no checkpoint.

    Text, and variables that are stored in parts, are left out. Raises SourceError if the checkpoint is damaged.
    """
    index = prefix(folder).with_suffix(".index")
    if not index.exists():
        return {}
    with explained(index, "the index of a checkpoint"):
        return dict(_variables(index, _content(index)))


def _content(path: Path) -> bytes:
    with files.opened(path) as opened:
        content = opened.read(_MOST_BYTES + 1) or b""
    if len(content) > _MOST_BYTES:
        raise ValueError(f"more than {_MOST_BYTES:,} bytes")
    if len(content) < _FOOTER or not content.endswith(_MAGIC):
        raise ValueError("no table")
    return content


def _variables(path: Path, content: bytes) -> Iterator[tuple[str, Weight]]:
    shards: list[Group] = []
    for key, entry in _entries(content):
        if not key:
            shards = [_shard(path, number, _integers(entry).get(_SHARDS, 0)) for number in _shard_numbers(entry)]
            continue
        weight = _weight(entry, shards)
        if weight is not None:
            yield key.decode(), weight


def _shard_numbers(header: bytes) -> range:
    number = _integers(header).get(_SHARDS, 0)
    if not 0 < number < 100_000:
        raise ValueError(f"{number:,} data files")
    return range(number)


def _shard(path: Path, number: int, of: int) -> Group:
    data = path.with_name(f"{path.stem}.data-{number:05}-of-{of:05}")
    return Group((File(data, data.stat().st_size),))


def _weight(entry: bytes, shards: list[Group]) -> Weight | None:
    numbers, found = _integers(entry), {each.number: each for each in _fields(entry)}
    dtype = next((known for known in DType if known == numbers.get(_DTYPE)), None)
    shape = found.get(_SHAPE)
    dims = [dim.size for dim in TensorShapeProto.FromString(entry[shape.start : shape.end]).dim] if shape else []
    elements = element_count(dims)
    if dtype is None or dtype == DType.string or _SLICES in found or elements is None:
        return None
    size, offset, group = numbers.get(_SIZE, 0), numbers.get(_OFFSET, 0), shards[numbers.get(_SHARD, 0)]
    expected = elements * dtype.numpy.itemsize if dtype.is_number else size
    if size != expected or offset + size > group.size:
        raise ValueError("a variable that does not fit its data file")
    return Weight(dtype, tuple(dims), group, offset, size, dtype)


def _integers(message: bytes) -> dict[int, int]:
    """The values of a message's fields that are integers; of others the number is without meaning."""
    return {
        each.number: varint(message, each.start)[0]
        for each in _fields(message)
        if 0 < each.end - each.start <= 10 and each.number not in (_SHAPE, _SLICES, 6)
    }


def _fields(message: bytes) -> list[Field]:
    return list(fields(Bytes(io.BytesIO(message), len(message)), 0, len(message)))


# The table ---------------------------------------------------------------------------------------


def _entries(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a table, in its order."""
    return _limited(entry for block in _blocks(content) for entry in _block(content, block))


def _blocks(content: bytes) -> Iterator[_Handle]:
    """The blocks that the last one names: they follow each other, so that none is read more than once."""
    end = 0
    _, at = _handle(content, len(content) - _FOOTER)  # of the block that describes filters
    for _, value in _limited(_block(content, _handle(content, at)[0])):
        block, _ = _handle(value, 0)
        if block.offset < end:
            raise ValueError("a block that is part of another")
        end = block.offset + block.size
        yield block


def _limited(entries: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """The same entries. ValueError for more than a model has: a few bytes may be a long key, most of it shared."""
    spelled = 0
    for number, (key, value) in enumerate(entries):
        spelled += len(key)
        if number >= _MOST_ENTRIES or spelled > _MOST_SPELLED or len(value) > _MOST_OF_AN_ENTRY:
            raise ValueError("more than the names of a model's variables")
        yield key, value


def _handle(content: bytes, start: int) -> tuple[_Handle, int]:
    offset, at = varint(content, start)
    size, at = varint(content, at)
    return _Handle(offset, size), at


def _block(content: bytes, handle: _Handle) -> Iterator[tuple[bytes, bytes]]:
    """The entries of a block. A key shares its first bytes with the key before it."""
    end = handle.offset + handle.size
    if end + _TRAILER > len(content) or handle.size < 4:
        raise ValueError("a block outside of the table")
    if content[end]:
        raise ValueError("a compressed block, which TensorFlow does not write")
    block = content[handle.offset : end]
    restarts = int.from_bytes(block[-4:], "little")
    at, last, key = 0, len(block) - 4 - 4 * restarts, b""
    while at < last:
        shared, at = varint(block, at)
        added, at = varint(block, at)
        size, at = varint(block, at)
        if shared > len(key) or at + added + size > last:
            raise ValueError("an entry that is longer than its block")
        key = key[:shared] + block[at : at + added]
        yield key, block[at + added : at + added + size]
        at += added + size
