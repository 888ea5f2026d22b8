"""Pictures, and files of them: JPEGs by TensorFlow's encoder, PNGs and GIFs written out."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import numpy as np

from tests.support.answers import ONEDNN
from tests.support.elsewhere import call

__all__ = ["bmp", "gif", "gradient", "jpegs", "png", "turned"]


def gradient(height: int = 37, width: int = 53, channels: int = 3) -> np.ndarray:
    """A smooth picture with some noise, uint8."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 7 + channel) + np.cos(y / 5 - channel) for channel in range(channels)]
    noise = np.random.default_rng(0).normal(0, 0.2, (height, width, channels))
    return np.clip((np.stack(waves, -1) + noise) * 60 + 128, 0, 255).astype(np.uint8)


def jpegs(pictures: Mapping[str, tuple[np.ndarray, Mapping[str, object]]]) -> dict[str, bytes]:
    """The files of pictures, each with options of `tf.io.encode_jpeg`."""
    return call(_jpegs, dict(pictures), environment=ONEDNN)


def _jpegs(pictures: Mapping[str, tuple[np.ndarray, Mapping[str, object]]]) -> dict[str, bytes]:
    import tensorflow as tf

    return {name: tf.io.encode_jpeg(pixels, **options).numpy() for name, (pixels, options) in pictures.items()}


def turned(jpeg: bytes) -> bytes:
    """The same file with an EXIF block that says: turned by a quarter.

    https://www.cipa.jp/std/documents/e/DC-008-2012_E.pdf, section 4.6: one entry, 0x0112, of a short, 6.
    """
    block = b"Exif\0\0MM\0*" + struct.pack(">LHHHLHHL", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def png(pixels: np.ndarray, palette: bytes = b"") -> bytes:
    """A PNG of uint8 or uint16 [height, width, channels]: grey, RGB, both with alpha, or indices into a palette.

    https://www.w3.org/TR/png-3/
    """
    height, width, channels = pixels.shape
    kind = 3 if palette else {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in pixels)
    header = struct.pack(">LLBBBBB", width, height, 8 * pixels.itemsize, kind, 0, 0, 0)
    colours = ((b"PLTE", palette),) if palette else ()
    chunks = ((b"IHDR", header), *colours, (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">L", len(content)) + name + content + struct.pack(">L", zlib.crc32(name + content))
        for name, content in chunks
    )


def bmp(pixels: np.ndarray) -> bytes:
    """A BMP of uint8 [height, width, 3], whose rows are multiples of four bytes."""
    height, width, _ = pixels.shape
    header = struct.pack("<LLLHHLLLLLL", 40, width, height, 1, 24, 0, pixels.nbytes, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<LHHL", 54 + pixels.nbytes, 0, 0, 54) + header + pixels.tobytes()


def gif(pixels: np.ndarray, frames: int = 1) -> bytes:
    """A GIF of uint8 [height, width, 1], below 128. https://www.w3.org/Graphics/GIF/spec-gif89a.txt

    The table of the compression is cleared before it grows, so that every code has eight bits: itself.
    """
    height, width, _ = pixels.shape
    palette = b"".join(bytes([level * 2, 255 - level, level]) for level in range(128))
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF6, 0, 0) + palette
    flat, clear, end = pixels.ravel().tolist(), 128, 129
    codes = [code for at in range(0, len(flat), 100) for code in (clear, *flat[at : at + 100])] + [end]
    blocks = b"".join(
        bytes([len(part)]) + part for part in (bytes(codes[at : at + 255]) for at in range(0, len(codes), 255))
    )
    return head + (b"," + struct.pack("<HHHHBB", 0, 0, width, height, 0, 7) + blocks + b"\0") * frames + b";"
