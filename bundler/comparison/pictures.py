"""Image files as inputs of composed signatures that decode them: waves of colour, the same in every run.

The manifest says which inputs are decoded, the record of a bundle only that its steps decode images.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping

import numpy as np

from bundler.bundle import Endpoint
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Shape
from bundler.manifest.steps import ComposedSpec, MapStep, OpStep, Step, parse_type
from bundler.report import Report

__all__ = ["pictures", "pictures_by_record"]

_SIZES = ((96, 128), (120, 80))
"""Height and width of the files; a batch has one of each."""
_DECODER = re.compile(r"(map of .*)?\bdecode_image\b")
"""What reports call a step that decodes images, or a map of such."""


def pictures(spec: ComposedSpec) -> Mapping[str, np.ndarray]:
    """A file, or a batch of files, for each input that the steps decode, by name."""
    return {name: _files(parse_type(spec.inputs[name]).shape) for name in _decoded(spec)}


def pictures_by_record(report: Report, endpoint: Endpoint) -> Mapping[str, np.ndarray]:
    """The same for all inputs of a signature of which no manifest is known; empty unless it decodes images.

    Inputs that are no strings, or of unknown rank, leave it empty too.
    """
    inputs = endpoint.signature.inputs
    if not _has_decoder(report, endpoint.key, set()):
        return {}
    found = {
        name: _files(spec.shape)
        for name, spec in inputs.items()
        if spec.dtype == DType.string and spec.shape is not None
    }
    return found if found.keys() == inputs.keys() else {}


def _has_decoder(report: Report, key: str, seen: set[str]) -> bool:
    """Whether a step of a signature, or of one that it calls, decodes images."""
    if key in seen:
        return False
    seen.add(key)
    labels = [step.step for each in report.signatures if each.key == key for step in each.steps]
    return any(_DECODER.match(label) or _has_decoder(report, label, seen) for label in labels)


def _files(shape: Shape) -> np.ndarray:
    """Files in an array: of an open dimension one of each size."""
    sizes = [len(_SIZES) if size is None else size for size in shape]
    files = [_png(_waves(*size)) for size in _SIZES]
    made = np.empty(sizes, object)
    made.reshape(-1)[:] = [files[at % len(files)] for at in range(made.size)]
    return made


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
