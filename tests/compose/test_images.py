"""Files of images become the pixels that Chrome shows."""

from __future__ import annotations

import numpy as np
import pytest

import bundler
from bundler import manifest
from bundler.bundle import Bundle
from bundler.runtimes.failures import Refused
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.compose.pictures import bmp, gif, gradient, jpegs, png, turned
from tests.compose.small import write

STEP = {"op": "decode_image", "channels": 3}

JPEGS = {
    "JPEG, 4:2:0": (gradient(), {"quality": 90}),
    "JPEG, 4:4:4": (gradient(), {"quality": 75, "chroma_downsampling": False}),
    "JPEG, progressive": (gradient(), {"progressive": True}),
    "JPEG, grey": (gradient(channels=1), {"format": "grayscale"}),
}
OTHERS = {
    "PNG": png(gradient()),
    "PNG, grey": png(gradient(channels=1)),
    "PNG, 16 bits": png(gradient().astype(np.uint16) * 259),
    "PNG, grey, 16 bits": png(gradient(channels=1).astype(np.uint16) * 259),
    "PNG, palette": png(gradient(channels=1), palette=gradient(16, 16).tobytes()),
    "GIF": gif(gradient(channels=1) // 2),
}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return jpegs(JPEGS) | OTHERS


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Signatures that decode one image, red alone, and a batch of images whose sizes differ."""
    path = write(tmp_path_factory.mktemp("images"), "")
    red = {**STEP, "channels": 1}
    small = {"op": "resize_nearest_neighbor", "size": [4, 6]}
    document = {
        "bundle": {"name": "images"},
        "model": [{"name": "emotion", "source": "emotion"}],
        "signature": [
            {"key": "one", "inputs": {"x": "string"}, "outputs": ["y"], "steps": [{**STEP, "as": "y"}]},
            {"key": "red", "inputs": {"x": "string"}, "outputs": ["y"], "steps": [{**red, "as": "y"}]},
            {
                "key": "batch",
                "inputs": {"x": "string[?]"},
                "outputs": ["y"],
                "steps": [{"map": [STEP, small], "as": "y"}],
            },
        ],
    }
    bundler.build(manifest.of(document, path), output=path.parent / "out")
    return Bundle.open(path.parent / "out")


def texts(*contents: bytes) -> np.ndarray:
    return np.array(contents, object)


def one(content: bytes) -> np.ndarray:
    return texts(content).reshape(())


@pytest.mark.parametrize("kind", [*JPEGS, *OTHERS])
@pytest.mark.parametrize(("key", "channels"), [("one", 3), ("red", 1)])
def test_every_pixel_is_that_of_skia(
    kind: str,
    key: str,
    channels: int,
    files: dict[str, bytes],
    decoder: Bundle,
    runtime: Runtime,
    javascript: TensorFlowJs,
) -> None:
    content = one(files[kind])
    found = decoder.endpoint(key).call(runtime, {"x": content})["y"]
    (right,) = javascript.step({**STEP, "channels": channels}, [content])
    assert found.dtype == np.uint8 and found.shape == right.shape
    assert np.array_equal(found, right)


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "RGB"])
def test_alpha_is_dropped_and_a_browser_multiplies_with_it(
    channels: int, decoder: Bundle, runtime: Runtime, javascript: TensorFlowJs
) -> None:
    """A browser keeps colours times alpha: it shows black for pixels that are transparent."""
    colours = gradient(channels=channels)
    alpha = np.resize(np.array([0, 99, 255], np.uint8), (37, 53, 1))
    content = one(png(np.concatenate([colours, alpha], -1)))
    found = decoder.endpoint("one").call(runtime, {"x": content})["y"][0]
    assert np.array_equal(found, np.broadcast_to(colours, found.shape))
    (shown,) = javascript.step(STEP, [content])
    assert np.array_equal(shown[0][alpha[..., 0] == 255], found[alpha[..., 0] == 255])
    assert not shown[0][alpha[..., 0] == 0].any()


def test_the_orientation_of_exif_is_not_applied_and_a_browser_applies_it(
    files: dict[str, bytes], decoder: Bundle, runtime: Runtime, javascript: TensorFlowJs
) -> None:
    plain = files["JPEG, 4:2:0"]
    found = [decoder.endpoint("one").call(runtime, {"x": one(content)})["y"] for content in (plain, turned(plain))]
    assert found[0].shape == (1, 37, 53, 3)
    assert np.array_equal(*found)
    (shown,) = javascript.step(STEP, [one(turned(plain))])
    assert np.array_equal(shown, np.rot90(found[0], -1, axes=(1, 2)))


@pytest.mark.parametrize("kind", [*JPEGS, "PNG"])
def test_a_file_that_is_cut_short_is_an_error(
    kind: str, files: dict[str, bytes], decoder: Bundle, runtime: Runtime
) -> None:
    with pytest.raises(Refused):
        decoder.endpoint("one").call(runtime, {"x": one(files[kind][:-300])})


NO_IMAGES = {
    "empty": b"",
    "text": b"no image",
    "WebP": b"RIFF\x10\0\0\0WEBPVP8 ",
    "BMP": bmp(gradient(8, 8)),
    "animation": gif(gradient(8, 8, 1) // 2, frames=2),
}


@pytest.mark.parametrize("content", NO_IMAGES.values(), ids=NO_IMAGES)
def test_what_is_no_jpeg_png_or_gif_is_an_error(content: bytes, decoder: Bundle, runtime: Runtime) -> None:
    with pytest.raises(Refused):
        decoder.endpoint("one").call(runtime, {"x": one(content)})


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_map_decodes_any_number_of_images_of_any_sizes(count: int, decoder: Bundle, runtime: Runtime) -> None:
    sizes = [(8, 12), (37, 53), (4, 6)][:count]
    contents = [png(gradient(*size)) for size in sizes]
    found = decoder.endpoint("batch").call(runtime, {"x": texts(*contents)})["y"]
    assert found.shape == (count, 4, 6, 3)
    for image, size in zip(found, sizes):
        rows, columns = (np.arange(new) * old // new for new, old in zip((4, 6), size))
        assert np.array_equal(image, gradient(*size)[rows][:, columns])
