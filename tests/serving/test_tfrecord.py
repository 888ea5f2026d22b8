"""TensorFlow's file of records, and its checksum."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bundler.serving.tfrecord import crc32c, tfrecord

VECTORS = {
    b"": 0,
    b"123456789": 0xE3069283,
    bytes(32): 0x8A9136AA,
    b"\xff" * 32: 0x62A8AB43,
    bytes(range(32)): 0x46DD794E,
    bytes(range(31, -1, -1)): 0x113FDB5C,
}
"""RFC 3720, appendix B.4, which prints the bytes in the other order."""


@pytest.mark.parametrize(("content", "expected"), VECTORS.items())
def test_the_checksum_is_that_of_the_standard(content: bytes, expected: int) -> None:
    assert crc32c(content) == expected


@pytest.mark.parametrize("size", [1023, 1024, 1025, 4096, 5000, 70_001])
def test_long_content_has_the_checksum_of_its_bytes_one_by_one(size: int) -> None:
    content = random.Random(size).randbytes(size)
    state = 0xFFFFFFFF
    for byte in content:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    assert crc32c(content) == state ^ 0xFFFFFFFF


def test_a_record_has_its_length_and_two_masked_checksums() -> None:
    assert tfrecord(b"abc").hex() == "0300000000000000b099490e" + b"abc".hex() + "6e57f121"


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 1, 1024, 3000, 1 << 20])
def test_records_are_those_of_tensorflows_writer(size: int, tmp_path: Path) -> None:
    import tensorflow as tf

    content = random.Random(size).randbytes(size)
    with tf.io.TFRecordWriter(str(tmp_path / "records")) as writer:
        writer.write(content)
    assert (tmp_path / "records").read_bytes() == tfrecord(content)
