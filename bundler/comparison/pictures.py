"""Image files as inputs of composed signatures that decode them: waves of colour, the same in every run."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping

import numpy as np

from bundler.manifest.steps import ComposedSpec, MapStep, OpStep, Step, parse_type

__all__ = ["pictures"]

_SIZES = ((96, 128), (120, 80))
"""Height and width of the files; a batch has one of each."""


def pictures(spec: ComposedSpec) -> Mapping[str, np.ndarray]:
    """A file, or a batch of files, for each input that the steps decode, by name."""
    files = [_png(_waves(*size)) for size in _SIZES]
    return {
        name: np.array(files[0] if parse_type(spec.inputs[name]).shape == () else files, object)
        for name in _decoded(spec)
    }


def _decoded(spec: ComposedSpec) -> Iterator[str]:
    """The inputs that an image decoder takes: by name, or as the first step."""
    last = tuple(spec.inputs)
    for step in spec.steps:
        named = step.of if isinstance(step, (OpStep, MapStep)) else tuple(step.of.values())
        if _decodes(step):
            yield from (name for name in named or last if name in spec.inputs)
        last = ()


def _decodes(step: Step) -> bool:
    first = step.map[0] if isinstance(step, MapStep) else step
    return isinstance(first, OpStep) and first.op == "decode_image"


def _waves(height: int, width: int) -> np.ndarray:
    """A picture, uint8[height, width, 3], whose colours change slowly."""
    y, x = np.mgrid[:height, :width]
    channels = [np.sin(x / (17 + 4 * at)) + np.cos(y / (23 - 3 * at) + at) for at in range(3)]
    picture: np.ndarray = np.clip(np.stack(channels, -1) * 60 + 128, 0, 255).astype(np.uint8)
    return picture


def _png(pixels: np.ndarray) -> bytes:
    """A PNG file of 8-bit RGB: https://www.w3.org/TR/png-3/"""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">L", len(content)) + name + content + struct.pack(">L", zlib.crc32(name + content))
