"""Cases of image.json."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.conformance.case import AGREES, Case, Const, Differs, Verdict, case

__all__ = ["CASES"]

IMAGE = np.sin(np.arange(60, dtype=np.float32)).reshape(2, 3, 5, 2)
CENTERS = {
    "plain": {"align_corners": False, "half_pixel_centers": False},
    "align_corners": {"align_corners": True, "half_pixel_centers": False},
    "half_pixel_centers": {"align_corners": False, "half_pixel_centers": True},
}
SIZES = {"larger": [7, 9], "smaller": [2, 3], "equal": [3, 5], "mixed": [6, 2]}
BOXES = [[0.0, 0.0, 1.0, 1.0], [0.1, 0.2, 0.8, 0.7], [0.9, 0.9, 0.1, 0.1], [-0.5, -0.2, 1.3, 1.1]]
IDENTITY, SHIFTED, TURNED = (
    [1.0, 0, 0, 0, 1, 0, 0, 0],
    [1.0, 0, 1, 0, 1, -1, 0, 0],
    [0.8, -0.6, 1, 0.6, 0.8, 0, 0.01, 0.02],
)


def resized() -> Iterator[Case]:
    for op in ("ResizeBilinear", "ResizeNearestNeighbor"):
        for size_name, size in SIZES.items():
            for name, attrs in CENTERS.items():
                yield case(op, f"{size_name} {name}", IMAGE, Const(size), **attrs)
        yield case(op, "fed size", IMAGE, [4, 4], **CENTERS["half_pixel_centers"])


def cropped() -> Iterator[Case]:
    for method in ("bilinear", "nearest"):
        for size in ([2, 2], [4, 3], [1, 1]):
            name = f"{method} {size[0]} by {size[1]}"
            yield crop(name, method, size, 0.0)
        yield crop(f"{method} extrapolated", method, [3, 3], -7.5)
    yield case(
        "CropAndResize",
        "nearest halves",
        np.arange(4, dtype=np.float32).reshape(1, 2, 2, 1),
        Const([[0.0, 0.0, 1.0, 1.0]]),
        Const([0]),
        Const([3, 3]),
        method="nearest",
    )


def crop(name: str, method: str, size: list[int], extrapolation: float) -> Case:
    inputs = (IMAGE, Const(BOXES), Const([0, 1, 1, 0]), Const(size))
    return case("CropAndResize", name, *inputs, method=method, extrapolation_value=extrapolation)


def transformed() -> Iterator[Case]:
    for name, transform in {"identity": IDENTITY, "shifted": SHIFTED, "turned": TURNED}.items():
        for interpolation in ("NEAREST", "BILINEAR"):
            yield transform_case(f"{name} {interpolation.lower()}", transform, interpolation)
    for mode in ("REFLECT", "WRAP", "NEAREST"):
        yield transform_case(f"turned {mode.lower()} outside", TURNED, "BILINEAR", fill_mode=mode)
    yield transform_case("fill value", SHIFTED, "NEAREST", fill_value=3.5)
    yield transform_case("other size", TURNED, "BILINEAR", size=(5, 4))
    yield case(
        "ImageProjectiveTransformV3",
        "batch",
        IMAGE,
        Const([SHIFTED, TURNED]),
        Const([3, 5]),
        Const(0.0),
        interpolation="NEAREST",
        fill_mode="CONSTANT",
        javascript=Differs("the strides of a batch are mixed up"),
    )


def transform_case(
    name: str,
    transform: list[float],
    interpolation: str,
    *,
    size: tuple[int, int] = (3, 5),
    fill_mode: str = "CONSTANT",
    fill_value: float = 0.0,
    javascript: Verdict = AGREES,
) -> Case:
    return case(
        "ImageProjectiveTransformV3",
        name,
        IMAGE[:1],
        Const([transform]),
        Const(list(size)),
        Const(fill_value),
        interpolation=interpolation,
        fill_mode=fill_mode,
        javascript=javascript,
    )


CASES = [*resized(), *cropped(), *transformed()]
