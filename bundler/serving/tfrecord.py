"""Records in a file of TensorFlow: each has its length before it, and checksums of both.

Source: tensorflow/core/lib/io/record_writer.h, and crc32c.h for the mask. The checksum is CRC-32C (RFC 3720, appendix
B.4), whose polynomial zlib does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

__all__ = ["crc32c", "tfrecord"]

_POLYNOMIAL = 0x82F63B78
_ONES = 0xFFFFFFFF
_MASK = 0xA282EAD8
_LANES = 1024
"""Pieces of long data whose checksums are computed side by side."""


def tfrecord(content: bytes) -> bytes:
    """A record with this content, as TFRecordWriter writes it."""
    length = len(content).to_bytes(8, "little")
    return b"".join((length, _masked(length), content, _masked(content)))


def crc32c(content: bytes) -> int:
    """The CRC-32C of bytes."""
    # The checksum is linear: that of joined pieces follows from those of the pieces.
    size = len(content) // _LANES
    head = len(content) - size * _LANES
    state = _one_by_one(_ONES, content[:head])
    if size:
        lanes = np.frombuffer(content, np.uint8, offset=head).reshape(_LANES, size)
        shift = _appending_zeros(size)
        for piece in _side_by_side(lanes).tolist():
            state = _applied(shift, state) ^ piece
    return state ^ _ONES


def _masked(content: bytes) -> bytes:
    crc = crc32c(content)
    rotated = (crc >> 15 | crc << 17) & _ONES
    return (rotated + _MASK & _ONES).to_bytes(4, "little")


@cache
def _table() -> np.ndarray:
    """What each value of the lowest byte adds to the register when that byte leaves it."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ _POLYNOMIAL, table >> 1).astype(np.uint32)
    return table


def _one_by_one(state: int, content: bytes) -> int:
    table = _table().tolist()
    for byte in content:
        state = table[(state ^ byte) & 0xFF] ^ state >> 8
    return state


def _side_by_side(lanes: np.ndarray) -> np.ndarray:
    """The register after each row of bytes, from zero."""
    table, states = _table(), np.zeros(len(lanes), np.uint32)
    for column in np.ascontiguousarray(lanes.T):
        states = table[(states ^ column) & 0xFF] ^ states >> 8
    return states


def _appending_zeros(count: int) -> list[int]:
    """The effect of `count` zero bytes on the register: the image of each of its 32 bits."""
    step = [_one_by_one(1 << bit, b"\0") for bit in range(32)]
    result = [1 << bit for bit in range(32)]
    while count:
        if count & 1:
            result = [_applied(step, image) for image in result]
        step = [_applied(step, image) for image in step]
        count >>= 1
    return result


def _applied(images: Sequence[int], state: int) -> int:
    """A linear map, given by the images of the 32 bits, applied to a register."""
    result = 0
    for bit in range(32):
        if state >> bit & 1:
            result ^= images[bit]
    return result
