"""Images of many sizes: pixels come from the places that TensorFlow.js' WASM backend takes them from.

It computes places with float32 numbers, as TensorFlow does; the plain backend does with doubles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import bundler
from bundler import manifest
from bundler.bundle import Bundle
from bundler.comparison.seams.edges import other_neighbours
from bundler.manifest.steps import OPS
from bundler.manifest.steps.image import Resize
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.compose.cases import pixels
from tests.compose.small import write

RESIZES = [
    {"op": op, **more}
    for op in ("resize_bilinear", "resize_nearest_neighbor")
    for more in ({}, {"align_corners": True}, {"half_pixel_centers": True})
]
CROPS = [{"op": "crop_and_resize", "size": size, "extrapolation_value": -9} for size in ([36, 12], [7, 1], [24, 22])]


def sizes(count: int) -> Iterator[list[int]]:
    """Height and width before and after."""
    yield from np.random.default_rng(0).integers(1, 70, (count, 4)).tolist()


def signature(key: str, step: dict[str, Any]) -> dict[str, Any]:
    images = "float32[1, ?, ?, 1]"
    crops = step["op"] == "crop_and_resize"
    inputs = {"x": images, "boxes": "float32[?, 4]"} if crops else {"x": images, "like": images}
    step = step | ({"of": ["x", "boxes"]} if crops else {"of": "x", "like": "like"}) | {"as": "y"}
    return {"key": key, "inputs": inputs, "outputs": ["y"], "steps": [step]}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    path = write(tmp_path_factory.mktemp("sizes"), "")
    document = {
        "bundle": {"name": "sizes"},
        "model": [{"name": "emotion", "source": "emotion"}],
        "signature": [signature(str(at), step) for at, step in enumerate([*RESIZES, *CROPS])],
    }
    bundler.build(manifest.of(document, path), output=path.parent / "out")
    return Bundle.open(path.parent / "out")


def in_javascript(step: dict[str, Any], javascript: TensorFlowJs, *values: np.ndarray, **like: Any) -> np.ndarray:
    fields = OPS[step["op"]].model_validate({**step, **dict.fromkeys(like, "like")})
    (right,) = javascript.step(fields.model_dump(mode="json", by_alias=True), values, **like)
    return right


@pytest.mark.parametrize(("key", "step"), [*enumerate(RESIZES)], ids=str)
def test_a_resized_image_is_that_of_the_wasm_backend(
    key: int, step: dict[str, Any], bundle: Bundle, runtime: Runtime, wasm: TensorFlowJs
) -> None:
    rounded = step["op"] == "resize_bilinear" and "half_pixel_centers" in step
    for height, width, tall, wide in sizes(25):
        x, like = pixels(1, height, width, 1), pixels(1, tall, wide, 1)
        found = bundle.endpoint(str(key)).call(runtime, {"x": x, "like": like})["y"]
        right = in_javascript(step, wasm, x, like=like)
        np.testing.assert_allclose(found, right, rtol=0, atol=1e-5 * 255 if rounded else 0)


@pytest.mark.parametrize("step", RESIZES[3:], ids=str)
def test_the_plain_backend_takes_other_neighbours_where_doubles_do(
    step: dict[str, Any], javascript: TensorFlowJs, wasm: TensorFlowJs
) -> None:
    """`verify` compares with it, and must know which pixels say nothing."""
    spec = Resize.model_validate({**step, "like": "like"})
    for height, width, tall, wide in sizes(60):
        x, like = pixels(1, height, width, 1), pixels(1, tall, wide, 1)
        plain, floats = (in_javascript(step, each, x, like=like) for each in (javascript, wasm))
        assert np.array_equal(plain != floats, other_neighbours(spec, x.shape, plain.shape))


@pytest.mark.parametrize(("key", "step"), [*enumerate(CROPS, len(RESIZES))], ids=str)
def test_a_part_of_an_image_is_that_of_the_wasm_backend(
    key: int, step: dict[str, Any], bundle: Bundle, runtime: Runtime, wasm: TensorFlowJs
) -> None:
    """Also on the edge, where the last bit of a place says whether it is in the image: 9 / 35 * 35 is more than 9."""
    boxes = np.array([[0, 0, 1, 1], [1, 1, 0, 0], [0.5, 0, 1, 0.5], [0.1, 0.2, 0.7, 0.9]], np.float32)
    for height, width, *_ in ([10, 10], [7, 13], [8, 16], *sizes(10)):
        x = pixels(1, height, width, 1)
        found = bundle.endpoint(str(key)).call(runtime, {"x": x, "boxes": boxes})["y"]
        assert np.array_equal(found, in_javascript(step, wasm, x, boxes))
