"""Images as inputs: the numbers that a browser would give to the model."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bundler.bundle.arguments import feeds
from bundler.bundle.images import FROM_PIXELS, Pixels
from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.model import TensorSpec
from bundler.ir.nodes import Shape, Tensor, new_node
from bundler.ir.protos import GraphDef
from bundler.runtimes.tensorflow import Runtime
from tests.support.pictures import bmp, gif, png

ROWS, COLUMNS = np.mgrid[0:6, 0:8]
RED, GREEN, BLUE = (COLUMNS * 30).astype(np.uint8), (ROWS * 40).astype(np.uint8), (ROWS * COLUMNS).astype(np.uint8)
RGB = np.stack([RED, GREEN, BLUE], -1)
ALPHA = np.full((6, 8, 1), 100, np.uint8)
OPAQUE = np.full((6, 8, 1), 255, np.uint8)


@pytest.fixture(scope="module")
def jpeg(runtime: Runtime) -> Callable[[np.ndarray], bytes]:
    def encode(pixels: np.ndarray) -> bytes:
        nodes = [new_node("Placeholder", "x", dtype=DType.uint8), new_node("EncodeJpeg", "y", ["x"], quality=90)]
        graph = GraphDef(node=[node.message for node in nodes]).SerializeToString()
        return bytes(runtime.evaluate(graph, {"x": pixels}, ["y"])[0][()])

    return encode


def fed(
    content: bytes,
    shape: Shape | None,
    runtime: Runtime,
    folder: Path,
    dtype: DType = DType.float32,
    pixels: Pixels = FROM_PIXELS,
) -> np.ndarray:
    path = folder / "image.png"
    path.write_bytes(content)
    return feeds({"x": TensorSpec(Tensor("x"), dtype, shape)}, path, runtime, pixels)["x"]


CASES: list[tuple[bytes, Shape | None, np.ndarray]] = [
    (png(RGB), (1, None, None, 3), RGB[np.newaxis]),
    (png(RGB), (None, 6, 8, 3), RGB[np.newaxis]),
    (png(RGB), (6, 8, 3), RGB),
    (png(RGB), None, RGB),
    (png(RGB), (6, 8, None), RGB),
    (png(RGB), (6, 8, 4), np.concatenate([RGB, OPAQUE], 2)),
    (png(RGB), (6, 8, 1), RGB[:, :, :1]),
    (png(RGB.astype(np.uint16) * 257, depth=16), (6, 8, 3), RGB),
    (png(np.concatenate([RGB, ALPHA], 2)), (6, 8, 3), RGB),
    (png(np.concatenate([RGB, ALPHA], 2)), (6, 8, 4), np.concatenate([RGB, ALPHA], 2)),
    (png(RGB[:, :, :1]), (6, 8, 3), np.stack([RED] * 3, -1)),
    (png(RGB[:, :, :1]), (6, 8, 1), RGB[:, :, :1]),
    (png(np.concatenate([RGB[:, :, :1], ALPHA], 2)), (6, 8, 4), np.concatenate([*[RGB[:, :, :1]] * 3, ALPHA], 2)),
    (bmp(RGB), (6, 8, 3), RGB),
    (gif(), (1, 1, 3), np.full((1, 1, 3), 255)),
    (gif(3), (None, 1, 1, 3), np.full((1, 1, 1, 3), 255)),
]


@pytest.mark.parametrize(("content", "shape", "expected"), CASES)
def test_an_image_has_the_numbers_of_its_channels(
    content: bytes, shape: Shape | None, expected: np.ndarray, runtime: Runtime, tmp_path: Path
) -> None:
    found = fed(content, shape, runtime, tmp_path)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_a_jpeg_is_decoded_as_by_an_accurate_decoder(
    jpeg: Callable[[np.ndarray], bytes], runtime: Runtime, tmp_path: Path
) -> None:
    found = fed(jpeg(RGB), (1, 6, 8, 3), runtime, tmp_path)
    assert np.abs(found[0] - RGB).max() < 60  # quality 90 of a small image; colours are at half the size
    assert np.abs(found[0] - RGB).mean() < 12
    grey = fed(jpeg(RGB[:, :, :1]), (6, 8, 3), runtime, tmp_path)
    np.testing.assert_array_equal(grey[:, :, 0], grey[:, :, 2])


@pytest.mark.parametrize("dtype", [DType.uint8, DType.int32, DType.int64, DType.float16, DType.bfloat16, DType.float64])
def test_an_image_takes_the_dtype_of_the_input(dtype: DType, runtime: Runtime, tmp_path: Path) -> None:
    found = fed(png(RGB), (6, 8, 3), runtime, tmp_path, dtype)
    assert found.dtype.name == dtype.name
    np.testing.assert_array_equal(found.astype(np.float64), RGB)


def test_floats_may_have_another_range(runtime: Runtime, tmp_path: Path) -> None:
    found = fed(png(RGB), (6, 8, 3), runtime, tmp_path, pixels=Pixels(black=-1, white=1))
    np.testing.assert_allclose(found, RGB / 127.5 - 1, atol=1e-6)


def test_a_string_input_gets_the_file(runtime: Runtime, tmp_path: Path) -> None:
    assert fed(png(RGB), (None,), runtime, tmp_path, DType.string).tolist() == [png(RGB)]


def test_an_image_is_resized_if_that_is_asked_for(runtime: Runtime, tmp_path: Path) -> None:
    found = fed(png(RGB), (1, 3, 4, 3), runtime, tmp_path, pixels=Pixels(resize=True))
    np.testing.assert_array_equal(found[0], RGB[::2, ::2])  # without half_pixel_centers every second pixel stays
    larger = fed(png(RGB), (1, 6, 16, 3), runtime, tmp_path, DType.uint8, Pixels(resize=True))
    np.testing.assert_array_equal(larger[0, :, 1], np.rint(RGB[:, :2].mean(1)))
    same = fed(png(RGB), (1, None, None, 3), runtime, tmp_path, pixels=Pixels(resize=True))
    np.testing.assert_array_equal(same[0], RGB)


def _huge(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(9)


OTHER_SIZE = "the image has another size than the input (found 6 x 8 (height x width), expected 6 x 9)"
NO_IMAGE = "this is no image that TensorFlow decodes (expected JPEG, PNG, GIF or BMP)"
TOO_LARGE = "the image is too large (found 1,048,576 x 1,048,576, expected at most 67,108,864 pixels)"
TORN = "the image cannot be decoded (found TensorFlow: "
REFUSED = [
    (png(RGB), (1, 6, 9, 3), DType.float32, OTHER_SIZE),
    (png(RGB), (1, 3, 6, 8), DType.float32, "the input takes no image (found [1, 3, 6, 8])"),
    (png(RGB), (6, 8), DType.float32, "the input takes no image (found [6, 8])"),
    (png(RGB), (1, 1, 6, 8, 3), DType.float32, "the input takes no image (found [1, 1, 6, 8, 3])"),
    (png(RGB), (2, 6, 8, 3), DType.float32, "the shape does not fit (found [6, 8, 3], expected [2, 6, 8, 3])"),
    (png(RGB), (6, 8, 3), DType.bool, "the dtype does not fit (found uint8, expected bool)"),
    (png(RGB), (6, 8, 3), DType.int8, "a number is out of the range of int8 (found 150)"),
    (b"RIFF....WEBP", (6, 8, 3), DType.float32, NO_IMAGE),
    (b"", (6, 8, 3), DType.float32, NO_IMAGE),
    (_huge(1 << 20, 1 << 20), (None, None, 3), DType.float32, TOO_LARGE),
    (_huge(8, 6), (6, 8, 3), DType.float32, TORN),
    (png(RGB)[:-30], (6, 8, 3), DType.float32, TORN),
    (b"\xff\xd8\xff\xe0", (6, 8, 3), DType.float32, TORN),
    (b"BM", (6, 8, 3), DType.float32, TORN),
]  # fmt: skip


@pytest.mark.parametrize(("content", "shape", "dtype", "said"), REFUSED)
def test_what_does_not_fit_is_refused(
    content: bytes, shape: Shape, dtype: DType, said: str, runtime: Runtime, tmp_path: Path
) -> None:
    with pytest.raises(BundlerError) as error:
        fed(content, shape, runtime, tmp_path, dtype)
    assert str(error.value).startswith(f"input 'x': {tmp_path}/image.png: {said}")


def test_integers_have_no_other_range(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(BundlerError, match="only floats take pixels of another range"):
        fed(png(RGB), (6, 8, 3), runtime, tmp_path, DType.int32, Pixels(black=0, white=1))
