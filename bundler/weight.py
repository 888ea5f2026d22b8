"""A weight: a tensor that stays on disk until it is written.

It knows where its bytes are and how they are coded, hence how many bytes it will take in the
output, before any of them is read.

Decoding follows TensorFlow.js' own (tfjs-core/src/io/io_utils.ts, `decodeWeight`) and its writer
(tfjs-converter/python/tensorflowjs/quantization.py): uint8 and uint16 mean `value * scale + min`,
computed in float64; float16 is widened; complex64 is (re, im) interleaved.
"""

from __future__ import annotations

import gzip
import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from bundler.dtypes import DType
from bundler.errors import ConversionError

__all__ = ["Affine", "File", "Group", "Memory", "Part", "Shard", "Weight"]

_CHUNK = 1 << 20
"""Elements decoded at a time: memory stays small however large the tensor is."""


class Shard(Protocol):
    """Bytes that can be read in part."""

    @property
    def size(self) -> int: ...

    def read(self, start: int, length: int) -> bytes: ...


@dataclass(frozen=True)
class File:
    """A shard on disk; `size` is that of its content, after decompression where it is gzipped."""

    path: Path
    size: int
    gzipped: bool = False

    def read(self, start: int, length: int) -> bytes:
        with gzip.open(self.path) if self.gzipped else self.path.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(length)


@dataclass(frozen=True)
class Memory:
    """A shard that was never a file."""

    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, start: int, length: int) -> bytes:
        return self.content[start : start + length]


@dataclass(frozen=True)
class Group:
    """Shards that follow one another: a weight may span them."""

    shards: tuple[Shard, ...]

    @cached_property
    def ends(self) -> list[int]:
        return list(accumulate(shard.size for shard in self.shards))

    @property
    def size(self) -> int:
        return self.ends[-1] if self.ends else 0

    def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start`; OSError when a shard has shrunk since it was measured."""
        parts = []
        index, left = bisect_right(self.ends, start), length
        while left:
            shard, shard_start = self.shards[index], self.ends[index] - self.shards[index].size
            wanted = min(left, self.ends[index] - start)
            part = shard.read(start - shard_start, wanted)
            if len(part) != wanted:
                raise OSError(f"{shard} ended {wanted - len(part)} bytes early")
            parts.append(part)
            start, left, index = start + wanted, left - wanted, index + 1
        return parts[0] if len(parts) == 1 else b"".join(parts)


class Affine(NamedTuple):
    """Quantization of a `dtype` to uint8 or uint16: `stored * scale + min`."""

    scale: float
    min: float
    dtype: DType

    def expand(self, stored: np.ndarray) -> np.ndarray:
        """The values, computed in float64, then cast."""
        values = stored.astype(np.float64) * self.scale + self.min
        if self.dtype == DType.int32:
            values = np.floor(values + 0.5)  # JavaScript's Math.round: halves go up
        return values.astype(self.dtype.numpy)


@dataclass(frozen=True)
class Weight:
    """A constant of the graph, still on disk.

    `dtype` and `shape` are those of the tensor in the graph; `stored` is the dtype of the bytes,
    which begin at `offset` of `group` and are `stored_bytes` long.
    """

    dtype: DType
    shape: tuple[int, ...]
    group: Group
    offset: int
    stored_bytes: int
    stored: DType
    affine: Affine | None = None

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @cached_property
    def nbytes(self) -> int:
        """The bytes that `chunks` gives in all; TypeError for strings."""
        return self.size * self.dtype.numpy.itemsize

    @property
    def form(self) -> tuple[object, ...]:
        """All that is known without reading: weights of one form and equal bytes are equal."""
        return self.dtype, self.shape, self.stored, self.affine, self.stored_bytes

    def head(self) -> bytes:
        """The first bytes as they lie on disk: where these differ, weights do."""
        return self.group.read(self.offset, min(64, self.stored_bytes))

    def parts(self) -> Iterator[Part]:
        """The tensor cut into parts of a bounded size. Not for strings."""
        for start in range(0, self.size, _CHUNK):
            yield Part(self, start, min(_CHUNK, self.size - start))

    def chunks(self) -> Iterator[bytes]:
        """The tensor's content as a SavedModel holds it: little-endian, row-major, in pieces. Not for strings."""
        return (part.content() for part in self.parts())

    def stored_chunks(self) -> Iterator[bytes]:
        """The bytes as they lie on disk, in pieces."""
        for start in range(0, self.stored_bytes, _CHUNK):
            yield self.group.read(self.offset + start, min(_CHUNK, self.stored_bytes - start))

    def array(self) -> np.ndarray:
        """The whole tensor, read now. Strings come as an object array of bytes."""
        if self.dtype == DType.string:
            return np.array(self.strings(), object).reshape(self.shape)
        return np.frombuffer(b"".join(self.chunks()), self.dtype.numpy).reshape(self.shape)

    def strings(self) -> list[bytes]:
        """The elements of a string tensor: a uint32 length, then as many bytes, for each."""
        content, found, at = self.group.read(self.offset, self.stored_bytes), [], 0
        for _ in range(self.size):
            length = int.from_bytes(content[at : at + 4], "little")
            found.append(content[at + 4 : at + 4 + length])
            at += 4 + length
        return found

    def cast(self, dtype: DType) -> Weight:
        """The same weight as a tensor of another dtype. ConversionError where numbers would be strings, or the like."""
        if dtype != self.dtype and not (dtype.is_number and self.dtype.is_number):
            raise ConversionError(f"its weight is {self.dtype}, which makes no constant", expected=str(dtype))
        return replace(self, dtype=dtype)

    @property
    def is_verbatim(self) -> bool:
        """Whether the bytes on disk are the bytes of the output."""
        return self.stored == self.dtype and self.affine is None

    def decode(self, stored: bytes) -> bytes:
        """From bytes on disk, of whole elements, to those of the output."""
        if self.is_verbatim:
            return stored
        values: np.ndarray = np.frombuffer(stored, self.stored.numpy)
        if self.affine is not None:
            values = self.affine.expand(values)
        return values.astype(self.dtype.numpy).tobytes()


class Part(NamedTuple):
    """`size` elements of a weight, from `start` on."""

    weight: Weight
    start: int
    size: int

    @property
    def nbytes(self) -> int:
        """The bytes of the content."""
        return self.size * self.weight.dtype.numpy.itemsize

    def content(self) -> bytes:
        """The elements as the output holds them, read now."""
        itemsize = self.weight.stored.numpy.itemsize
        offset = self.weight.offset + self.start * itemsize
        return self.weight.decode(self.weight.group.read(offset, self.size * itemsize))
