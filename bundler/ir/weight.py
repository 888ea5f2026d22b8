"""A weight: a tensor that stays on disk until it is written.

It knows the place and the coding of its bytes, and from these its size in the output, before any byte is read.

Decoding follows TensorFlow.js' own (tfjs-core/src/io/io_utils.ts, `decodeWeight`) and its writer
(tfjs-converter/python/tensorflowjs/quantization.py): uint8 and uint16 mean `value * scale + min`,
computed in float64; float16 is widened; complex64 is (re, im) interleaved.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from bundler.disk.shards import Group
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType

__all__ = ["Affine", "Part", "Weight"]

_CHUNK = 1 << 16
"""Elements decoded at a time: few enough for a processor's cache."""
_MARKED = 1 << 10
"""Bytes at the beginning of a weight that its mark is a hash of."""
_TINY = 64
"""Bytes up to which a weight's values are examined before it is written."""
_HALF_INFINITY = 0x7C00
"""The exponent of float16 that means an infinity or NaN."""
_DIGEST = 32
"""Bytes of a hash: enough that no collision can be found, by chance or on purpose."""


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

    @cached_property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @cached_property
    def nbytes(self) -> int:
        """The bytes of the tensor in the output. Raises TypeError for strings."""
        return self.size * self.dtype.numpy.itemsize

    @property
    def form(self) -> tuple[object, ...]:
        """All that is known without reading. Weights of one form and with equal bytes are equal."""
        return self.dtype, self.shape, self.stored, self.affine, self.stored_bytes

    @cached_property
    def mark(self) -> bytes:
        """A hash of the first bytes as they lie on disk: weights whose marks differ are different."""
        return self._hash(min(_MARKED, self.stored_bytes))

    def fingerprint(self) -> bytes:
        """A hash of all bytes as they lie on disk."""
        return self.mark if self.stored_bytes <= _MARKED else self._hash(self.stored_bytes)

    def _hash(self, count: int) -> bytes:
        """A hash of the first `count` bytes."""
        hashed = hashlib.blake2b(digest_size=_DIGEST)
        for start in range(0, count, _CHUNK):
            hashed.update(self.group.read(self.offset + start, min(_CHUNK, count - start)))
        return hashed.digest()

    @property
    def overflowed(self) -> bool:
        """Whether a weight stored as float16 holds an infinity or NaN; False, unread, for more than 64 bytes."""
        if self.stored != DType.float16 or self.stored_bytes > _TINY:
            return False
        exponents = np.frombuffer(self.group.read(self.offset, self.stored_bytes), "<u2") & _HALF_INFINITY
        return bool((exponents == _HALF_INFINITY).any())

    def parts(self) -> Iterator[Part]:
        """The tensor in parts of at most 65,536 elements. Not for strings."""
        size = self.size
        for start in range(0, size, _CHUNK):
            yield Part(self, start, min(_CHUNK, size - start))

    def chunks(self) -> Iterator[bytearray]:
        """The tensor's bytes in the output, part by part: little-endian, row-major. Not for strings."""
        for part in self.parts():
            content = bytearray(part.nbytes)
            part.fill(memoryview(content))
            yield content

    def array(self) -> np.ndarray:
        """The whole tensor. Strings become an object array of bytes."""
        if self.dtype == DType.string:
            return np.array(self.strings(), object).reshape(self.shape)
        return np.frombuffer(b"".join(self.chunks()), self.dtype.numpy).reshape(self.shape)

    def strings(self) -> list[bytes]:
        """The elements of a string tensor, each stored as a uint32 length and as many bytes."""
        content, found, at = self.group.read(self.offset, self.stored_bytes), [], 0
        for _ in range(self.size):
            length = int.from_bytes(content[at : at + 4], "little")
            found.append(content[at + 4 : at + 4 + length])
            at += 4 + length
        return found

    def cast(self, dtype: DType) -> Weight:
        """The same weight as a tensor of another dtype. Raises ConversionError between numbers and other dtypes."""
        if dtype != self.dtype and not (dtype.is_number and self.dtype.is_number):
            raise ConversionError(f"its weight is {self.dtype}, which makes no constant", expected=str(dtype))
        return self if dtype == self.dtype else replace(self, dtype=dtype)

    @property
    def is_verbatim(self) -> bool:
        """Whether the bytes on disk are the bytes of the output."""
        return self.stored == self.dtype and self.affine is None

    def decode(self, stored: np.ndarray) -> np.ndarray:
        """The elements of the output for these elements on disk."""
        if self.affine is not None:
            stored = self.affine.expand(stored)
        elif self.stored == DType.float16 and self.dtype == DType.float32:
            return _halves().take(stored.view(np.uint16), mode="clip")
        return stored.astype(self.dtype.numpy, copy=False)


class Part(NamedTuple):
    """`size` elements of a weight, from `start` on."""

    weight: Weight
    start: int
    size: int

    @property
    def nbytes(self) -> int:
        """The bytes of the content."""
        return self.size * self.weight.dtype.numpy.itemsize

    def fill(self, room: memoryview) -> None:
        """Write the elements of the output into `room`, which is `nbytes` long."""
        weight, dtype = self.weight, self.weight.stored.numpy
        offset = weight.offset + self.start * dtype.itemsize
        if weight.is_verbatim:
            weight.group.read_into(offset, room)
        else:
            stored = np.empty(self.size, dtype)
            weight.group.read_into(offset, stored.data.cast("B"))
            room[:] = weight.decode(stored).data.cast("B")


@cache
def _halves() -> np.ndarray:
    """Every float16 as float32, by its bits. A look-up takes half the time of NumPy's own cast."""
    return np.arange(1 << 16, dtype=np.uint16).view("<f2").astype("<f4")
