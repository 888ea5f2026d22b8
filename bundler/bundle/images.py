"""Images as inputs of a model, with the numbers that `tf.browser.fromPixels` gives in a browser.

TensorFlow's own ops decode them, in its runtime, so that no library for images is needed. JPEG is decoded with the
accurate transform, as browsers do (INTEGER_ACCURATE; TensorFlow's default is faster and differs by some units).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from bundler.bundle.values import fitted
from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.model import TensorSpec
from bundler.ir.nodes import Node, constant, new_node
from bundler.ir.protos import GraphDef
from bundler.ir.shapes import shown
from bundler.runtimes.failures import Refused
from bundler.runtimes.tensorflow import Runtime

__all__ = ["FROM_PIXELS", "Pixels", "image"]

_MOST_PIXELS = 1 << 26
_WHITE = 255
_JPEG, _PNG, _GIF, _BMP = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM"
_SIZES: Mapping[bytes, tuple[int, int, Literal["big", "little"]]] = {
    _PNG: (16, 4, "big"),
    _GIF: (6, 2, "little"),
    _BMP: (18, 4, "little"),
}
"""Of each format but JPEG: where in the file width and height are, their bytes, and the order of these."""


class Pixels(NamedTuple):
    """How an image becomes an input: whether it is resized to the input's size, and the values of black and white."""

    resize: bool = False
    black: float = 0
    white: float = _WHITE


FROM_PIXELS = Pixels()
"""As `tf.browser.fromPixels` does."""


def image(content: bytes, spec: TensorSpec, runtime: Runtime, pixels: Pixels) -> np.ndarray:
    """The value for an input of shape [height, width, channels], or one with a batch dimension, from an image file.

    A grey or coloured image gives as many channels as the input has, as fromPixels does: red, green, blue, and alpha.
    Raises BundlerError if it is no JPEG, PNG, GIF or BMP, or does not fit.
    """
    height, width, channels = _expected(spec)
    found = _with_channels(_decoded(content, runtime), channels)
    if pixels.resize and height is not None and width is not None and found.shape[:2] != (height, width):
        found = _resized(found, height, width, runtime)
    _refuse_other_size(found, height, width)
    return fitted(_scaled(found, spec, pixels), spec)


def _expected(spec: TensorSpec) -> tuple[int | None, int | None, int]:
    shape = (None, None, 3) if spec.shape is None else spec.shape[-3:]
    if len(shape) != 3 or (spec.shape is not None and len(spec.shape) > 4) or shape[2] not in (None, 1, 3, 4):
        raise BundlerError("the input takes no image", found=shown(spec.shape or ()))
    return shape[0], shape[1], shape[2] or 3


def _refuse_other_size(found: np.ndarray, height: int | None, width: int | None) -> None:
    if height not in (None, found.shape[0]) or width not in (None, found.shape[1]):
        raise BundlerError(
            "the image has another size than the input",
            found=f"{found.shape[0]} x {found.shape[1]} (height x width)",
            expected=f"{height or '?'} x {width or '?'}",
            hint="--resize makes it fit",
        )


def _scaled(found: np.ndarray, spec: TensorSpec, pixels: Pixels) -> np.ndarray:
    if spec.dtype in (DType.float16, DType.bfloat16, DType.float32, DType.float64):
        step = (pixels.white - pixels.black) / _WHITE
        scaled: np.ndarray = found.astype(np.float64) * step + pixels.black
        return scaled
    if (pixels.black, pixels.white) != (0, _WHITE):
        raise BundlerError("only floats take pixels of another range", found=str(spec.dtype), expected="0 to 255")
    whole: np.ndarray = np.rint(found).astype(np.uint8)
    return whole


def _with_channels(decoded: np.ndarray, channels: int) -> np.ndarray:
    """The first `channels` of red, green, blue and alpha."""
    grey, alpha = decoded[:, :, :1], decoded[:, :, 1:]
    colours = decoded if decoded.shape[2] > 2 else np.concatenate([grey, grey, grey, alpha], 2)
    if channels > colours.shape[2]:
        opaque = np.full((*colours.shape[:2], 1), _WHITE, np.uint8)
        colours = np.concatenate([colours, opaque], 2)
    chosen: np.ndarray = colours[:, :, :channels]
    return chosen


# TensorFlow's ops --------------------------------------------------------------------------------


def _decoded(content: bytes, runtime: Runtime) -> np.ndarray:
    """The pixels, uint8 [height, width, 1 to 4]; of an animation the first image."""
    feeds = {"content": np.array(content, object)}
    try:
        _refuse_bomb(*_size(content, feeds, runtime))
        (found,) = runtime.evaluate(_decoder(content), feeds, ["image"])
    except Refused as refusal:
        raise BundlerError("the image cannot be decoded", found=refusal.fault.what) from refusal
    return found


def _size(content: bytes, feeds: dict[str, np.ndarray], runtime: Runtime) -> tuple[int, int]:
    """Height and width as the file's head has them."""
    if content.startswith(_JPEG):
        shape = new_node("ExtractJpegShape", "shape", ["content"], output_type=DType.int32)
        ((height, width, _),) = runtime.evaluate(_graph(shape), feeds, ["shape"])
        return int(height), int(width)
    for magic, (at, size, order) in _SIZES.items():
        if content.startswith(magic):
            width, height = (_number(content[start : start + size], order) for start in (at, at + size))
            return height, width
    raise BundlerError("this is no image that TensorFlow decodes", expected="JPEG, PNG, GIF or BMP")


def _number(content: bytes, order: Literal["big", "little"]) -> int:
    # The height of a BMP is negative if its rows begin at the top. No other format has such numbers.
    return abs(int.from_bytes(content, order, signed=len(content) == 4))


def _refuse_bomb(height: int, width: int) -> None:
    if height * width > _MOST_PIXELS:
        raise BundlerError(
            "the image is too large", found=f"{height:,} x {width:,}", expected=f"at most {_MOST_PIXELS:,} pixels"
        )


def _decoder(content: bytes) -> bytes:
    if content.startswith(_JPEG):
        return _graph(new_node("DecodeJpeg", "image", ["content"], channels=3, dct_method="INTEGER_ACCURATE"))
    return _graph(new_node("DecodeImage", "image", ["content"], channels=0, dtype=DType.uint8, expand_animations=False))


def _resized(found: np.ndarray, height: int, width: int, runtime: Runtime) -> np.ndarray:
    """The image in another size, float32, by the bilinear rule that `tf.image.resizeBilinear` has by default."""
    size = constant("size", np.array([height, width], np.int32))
    resize = new_node("ResizeBilinear", "resized", ["content", "size"], T=DType.uint8)
    graph = _graph(size, resize, dtype=DType.uint8)
    (resized,) = runtime.evaluate(graph, {"content": found[np.newaxis]}, ["resized"])
    pixels: np.ndarray = resized[0]
    return pixels


def _graph(*nodes: Node, dtype: DType = DType.string) -> bytes:
    """A serialized GraphDef of these nodes and the Placeholder `content` before them."""
    content = new_node("Placeholder", "content", [], dtype=dtype)
    graph: bytes = GraphDef(node=[node.message for node in (content, *nodes)]).SerializeToString()
    return graph
