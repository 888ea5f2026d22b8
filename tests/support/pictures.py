"""Small images, encoded here: no library for images is needed."""

from __future__ import annotations

import struct
import zlib

import numpy as np

__all__ = ["GREY_RAMP", "bmp", "gif", "png"]

GREY_RAMP = np.broadcast_to(np.arange(8, dtype=np.uint8)[:, np.newaxis, np.newaxis] * 30, (8, 8, 1))
"""8 x 8 pixels, from black at the top to light grey."""


def png(pixels: np.ndarray, depth: int = 8) -> bytes:
    """A PNG file of uint8 or uint16 [height, width, channels]: grey, grey with alpha, RGB or RGBA."""
    height, width, channels = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, depth, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(f">u{depth // 8}").tobytes() for row in pixels)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bmp(pixels: np.ndarray) -> bytes:
    """A BMP file of RGB pixels whose rows begin at the top; the width is a multiple of four."""
    height, width, _ = pixels.shape
    content = pixels[:, :, ::-1].tobytes()
    head = struct.pack("<IiiHHIIiiII", 40, width, -height, 1, 24, 0, len(content), 0, 0, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + len(content), 0, 0, 54) + head + content


def gif(frames: int = 1) -> bytes:
    """A GIF of one pixel, which is white in the first frame and red in the others."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\xff\xff\xff\xff\x00\x00"
    image = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02"
    return head + b"".join(image + (b"\x4c" if at else b"\x44") + b"\x01\x00" for at in range(frames)) + b"\x3b"
