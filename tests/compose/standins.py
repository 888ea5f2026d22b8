"""Models of given types: what stands behind the calls of a wrapper whose own model is too large for a test.

Each output depends on every input, so that a wrong wire, scale, order of channels or flip before the call changes it.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, new_node
from bundler.manifest.steps import parse_type
from tests.support.models import placeholder, write_model

__all__ = ["write_standin"]

FLOAT, INT = DType.float32, DType.int32
LOOK = (6, 6)
"""The size at which a model looks at its images."""

WEIGHTS = np.float32([0.3, 0.03, 0.003])
"""Weights for numbers from 0 to 1, from -10 to 10, and from 0 to 255: one of them is near the middle of tanh."""

FEATURES = 9
COARSE = 8
"""Large maps are made in pixels of this size."""


class Output(NamedTuple):
    """The type of an output, and the range of its numbers; entries of the last dimension may have their own."""

    name: str
    dtype: DType
    shape: tuple[int | None, ...]
    low: np.ndarray
    high: np.ndarray


def write_standin(folder: Path, inputs: Mapping[str, str], outputs: Mapping[str, Any]) -> None:
    """Write a TensorFlow.js model with these types, as a manifest writes them.

    An output is a type, or a table with its `type` and the `range` of its numbers (-1 to 1 by default); `ranges` are
    those of the first entries of the last dimension, the last one is that of all others. Images of unknown size that
    come out are as large as those of the first input, times `scale`.
    """
    writer = _Writer(np.random.default_rng(zlib.crc32(folder.name.encode())))
    for name, text in inputs.items():
        writer.look(name, text)
    writer.join()
    for name, entry in outputs.items():
        table = {"type": entry} if isinstance(entry, str) else entry
        dtype, shape = parse_type(table["type"])
        writer.write(Output(name, dtype, shape, *_ends(table, shape)), table.get("scale", 1))
    write_model(folder, writer.nodes, writer.weights)


def _ends(table: Mapping[str, Any], shape: Sequence[int | None]) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest numbers: one for all, or one for each entry of the last dimension."""
    if "ranges" not in table:
        return tuple(np.float32(end) for end in table.get("range", (-1, 1)))
    ranges = np.float32(table["ranges"])
    pairs = ranges[np.minimum(np.arange(shape[-1] or 0), len(ranges) - 1)]
    return pairs[:, 0], pairs[:, 1]


class _Writer:
    """The nodes and weights of a model."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.nodes: list[Node] = []
        self.weights: dict[str, np.ndarray] = {}
        self._rng = rng
        self._seen: list[str] = []
        self._images: tuple[str, int] | None = None

    def op(self, op: str, name: str, inputs: Sequence[str], **attributes: Any) -> str:
        self.nodes.append(new_node(op, name, inputs, **attributes))
        return name

    def weight(self, name: str, value: Any) -> str:
        self.weights[name] = np.asarray(value)
        return name

    def look(self, name: str, text: str) -> None:
        """What is seen of an input: float32[batch, some]."""
        dtype, shape = parse_type(text)
        self.nodes.append(placeholder(name, *shape, dtype=dtype))
        seen = name if dtype == FLOAT else self.op("Cast", f"{name}/float", [name], SrcT=dtype, DstT=FLOAT)
        sizes = list(shape[1:])
        if len(shape) == 4:
            self._images = self._images or (seen, shape[3] or 0)
            seen, sizes = self._looked(name, seen), [*LOOK, shape[3]]
        count = math.prod(size or 1 for size in sizes)
        flat = self.op("Reshape", f"{name}/flat", [seen, self.weight(f"{name}/row", np.int32([-1, count]))], T=FLOAT)
        noise = self._rng.normal(0, 1, (count, FEATURES)).astype(np.float32)
        scaled = noise * np.resize(WEIGHTS, FEATURES) * math.sqrt(12 / count)
        attributes = {"T": FLOAT, "transpose_a": False, "transpose_b": False}
        made = self.op("MatMul", f"{name}/seen", [flat, self.weight(f"{name}/weights", scaled)], **attributes)
        self._seen.append(made)

    def _looked(self, name: str, images: str) -> str:
        size = self.weight(f"{name}/look", np.int32(LOOK))
        attributes = {"T": FLOAT, "align_corners": False, "half_pixel_centers": False}
        return self.op("ResizeBilinear", f"{name}/small", [images, size], **attributes)

    def join(self) -> None:
        """The features that all outputs are made of: float32[batch, 9]."""
        total = self._seen[0]
        for at, each in enumerate(self._seen[1:]):
            total = self.op("AddV2", f"sum_{at}", [total, each], T=FLOAT)
        self.op("Tanh", "seen/all", [total], T=FLOAT)

    def write(self, output: Output, scale: int) -> None:
        """An output, as numbers of its range."""
        raw = self._pixels(output, scale) if None in output.shape[1:3] else self._made(output)
        unit = self.op("Sigmoid", f"{output.name}/unit", [raw], T=FLOAT)
        span = self.weight(f"{output.name}/span", output.high - output.low)
        low = self.weight(f"{output.name}/low", output.low)
        wide = self.op("Mul", f"{output.name}/wide", [unit, span], T=FLOAT)
        if output.dtype == FLOAT:
            self.op("AddV2", output.name, [wide, low], T=FLOAT)
            return
        moved = self.op("AddV2", f"{output.name}/moved", [wide, low], T=FLOAT)
        self.op("Cast", output.name, [moved], SrcT=FLOAT, DstT=output.dtype)

    def _pixels(self, output: Output, scale: int) -> str:
        """Images as large as those that came, times `scale`."""
        assert self._images is not None
        images, channels = self._images
        made = (output.shape[3] or 0) * scale**2
        weights = self._rng.normal(0, 0.03, (1, 1, channels, made)).astype(np.float32)
        name, kernel = output.name, self.weight(f"{output.name}/kernel", weights)
        more = {"T": FLOAT, "data_format": "NHWC", "strides": [1, 1, 1, 1], "dilations": [1, 1, 1, 1]}
        mixed = self.op("Conv2D", f"{name}/mixed", [images, kernel], padding="SAME", **more)
        if scale == 1:
            return mixed
        return self.op("DepthToSpace", f"{name}/larger", [mixed], T=FLOAT, block_size=scale, data_format="NHWC")

    def _made(self, output: Output) -> str:
        """A mixture of the features for each number of the output; of large images, one for several pixels."""
        name, sizes = output.name, [size or 1 for size in output.shape[1:]]
        large = len(sizes) in (2, 3) and min(sizes[:2]) > 2 * COARSE * COARSE
        coarse = [-(-size // COARSE) for size in sizes[:2]] + [*sizes[2:], 1][:1] if large else sizes
        raw = self._mapped(name, coarse)
        if not large:
            return raw
        size = self.weight(f"{name}/size", np.int32(sizes[:2]))
        more = {"T": FLOAT, "align_corners": False, "half_pixel_centers": False}
        grown = self.op("ResizeNearestNeighbor", f"{name}/grown", [raw, size], **more)
        shape = self.weight(f"{name}/exact", np.int32([-1, *sizes]))
        return self.op("Reshape", f"{name}/all", [grown, shape], T=FLOAT, Tshape=INT)

    def _mapped(self, name: str, sizes: Sequence[int]) -> str:
        count = math.prod(sizes)
        weights = self.weight(f"{name}/weights", self._rng.normal(0, 0.7, (FEATURES, count)).astype(np.float32))
        bias = self.weight(f"{name}/bias", self._rng.normal(0, 1, count).astype(np.float32))
        attributes = {"T": FLOAT, "transpose_a": False, "transpose_b": False}
        product = self.op("MatMul", f"{name}/product", ["seen/all", weights], **attributes)
        biased = self.op("AddV2", f"{name}/biased", [product, bias], T=FLOAT)
        shape = self.weight(f"{name}/shape", np.int32([-1, *sizes]))
        return self.op("Reshape", f"{name}/shaped", [biased, shape], T=FLOAT, Tshape=INT)
