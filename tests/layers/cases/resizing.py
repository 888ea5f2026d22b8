"""Cropping, padding, enlarging and resizing."""

from __future__ import annotations

from collections.abc import Mapping

from tests.layers.case import KERAS_2, KERAS_3, Case, Origin, Refused, Verdict, case, lacks
from tests.layers.model import layer

SERIES, IMAGE, VOLUME = (9, 3), (8, 7, 3), (6, 5, 7, 2)
PASS = layer("Reshape", target_shape=IMAGE)
FIRST = {"data_format": "channels_first"}
UNKNOWN_METHOD = Refused("TensorFlow.js does not interpolate this way")
NO_METHOD = {**lacks(javascript="nterpolation"), KERAS_2: UNKNOWN_METHOD, KERAS_3: UNKNOWN_METHOD}
METHODS = {
    **dict.fromkeys(("bicubic", "area", "lanczos3", "lanczos5"), NO_METHOD),
    **{method: NO_METHOD | lacks(keras3="Invalid value for argument") for method in ("gaussian", "mitchellcubic")},
}
UNRANKED = lacks(javascript="x must be rank 3 or 4, but got rank 1")
"""TensorFlow.js gives the kernel a list of one image in place of the image."""
INPUT_SHAPE = lacks(javascript="expected x to have shape")
"""TensorFlow.js writes the shape of the output for that of the input, and refuses the input when it loads its file."""
UNSIZED = {origin: Refused("needs a size of its input that is unknown") for origin in (KERAS_2, KERAS_3)}


def cropped(height: int, width: int, but: Mapping[Origin, Verdict] | None = None) -> Case:
    name = f"to {height}x{width} after another layer"
    return case("CenterCrop", name, IMAGE, before=[PASS], height=height, width=width, but=but)


CASES = [
    case("Cropping1D", "plain", SERIES),
    case("Cropping1D", "uneven", SERIES, cropping=[1, 3]),
    case("Cropping2D", "by one number", IMAGE, cropping=2),
    case("Cropping2D", "by two numbers", IMAGE, cropping=[1, 2]),
    case("Cropping2D", "uneven", IMAGE, cropping=[[1, 0], [0, 3]]),
    case("Cropping2D", "of nothing", IMAGE, cropping=[[0, 0], [0, 0]]),
    case("Cropping2D", "channels first", (3, 8, 7), cropping=[[1, 0], [2, 1]], data_format="channels_first"),
    case("Cropping2D", "on unknown sizes", (None, None, 3), cropping=[[1, 0], [0, 3]]),
    case("Cropping3D", "plain", VOLUME),
    case("Cropping3D", "uneven", VOLUME, cropping=[[1, 0], [2, 1], [0, 3]]),
    case("Cropping3D", "channels first", VOLUME, cropping=[[1, 0], [2, 1], [0, 0]], **FIRST),
    case("ZeroPadding1D", "plain", SERIES),
    case("ZeroPadding1D", "uneven", SERIES, padding=[1, 3]),
    case("ZeroPadding1D", "channels first", (3, 9), padding=[1, 3], data_format="channels_first"),
    case("ZeroPadding2D", "plain", IMAGE),
    case("ZeroPadding2D", "by one number", IMAGE, padding=2),
    case("ZeroPadding2D", "by two numbers", IMAGE, padding=[1, 2]),
    case("ZeroPadding2D", "uneven", IMAGE, padding=[[1, 0], [0, 3]]),
    case("ZeroPadding2D", "channels first", IMAGE, padding=[[1, 0], [2, 1]], data_format="channels_first"),
    case("ZeroPadding2D", "on unknown sizes", (None, None, 3), padding=[[1, 0], [0, 3]]),
    case("ZeroPadding3D", "plain", VOLUME),
    case("ZeroPadding3D", "uneven", VOLUME, padding=[[1, 0], [2, 1], [0, 3]]),
    case("ZeroPadding3D", "channels first", VOLUME, padding=[[1, 0], [2, 1], [0, 3]], **FIRST),
    case("UpSampling1D", "plain", SERIES),
    case("UpSampling1D", "by three", SERIES, size=3),
    case("UpSampling2D", "plain", IMAGE),
    case("UpSampling2D", "uneven", IMAGE, size=[2, 3]),
    case("UpSampling2D", "channels first", IMAGE, size=[2, 3], data_format="channels_first"),
    case("UpSampling2D", "on unknown sizes", (None, None, 3), size=[2, 3]),
    case("UpSampling2D", "bilinear", IMAGE, size=[2, 3], interpolation="bilinear"),
    case(
        "UpSampling2D",
        "bilinear channels first",
        IMAGE,
        size=[2, 3],
        interpolation="bilinear",
        data_format="channels_first",
    ),
    case("UpSampling2D", "bilinear on unknown sizes", (None, None, 3), interpolation="bilinear"),
    *(case("UpSampling2D", method, IMAGE, interpolation=method, but=METHODS[method]) for method in METHODS),
    case("UpSampling3D", "plain", VOLUME),
    case("UpSampling3D", "uneven", VOLUME, size=[2, 1, 3]),
    case("UpSampling3D", "channels first", VOLUME, size=[2, 1, 3], **FIRST),
    *(
        case(
            "Resizing",
            f"{method} to {height}x{width}",
            IMAGE,
            height=height,
            width=width,
            interpolation=method,
            but=UNRANKED,
        )
        for method in ("bilinear", "nearest")
        for height, width in ((5, 4), (13, 10), (16, 14), (8, 7))
    ),
    *(
        case("Resizing", method, IMAGE, height=5, width=11, interpolation=method, but=METHODS[method])
        for method in METHODS
    ),
    case("Resizing", "that crops", IMAGE, height=4, width=6, crop_to_aspect_ratio=True, but=UNRANKED),
    case("Resizing", "on unknown sizes", (None, None, 3), height=4, width=6, but=UNRANKED),
    case("CenterCrop", "even", IMAGE, height=4, width=3, but=INPUT_SHAPE),
    case("CenterCrop", "odd", IMAGE, height=5, width=4, but=INPUT_SHAPE),
    case("CenterCrop", "of all", IMAGE, height=8, width=7),
    case("CenterCrop", "beyond the image", IMAGE, height=10, width=12, but=INPUT_SHAPE),
    case("CenterCrop", "beyond one side", IMAGE, height=5, width=12, but=INPUT_SHAPE),
    *(cropped(height, width) for height, width in ((4, 3), (5, 4), (8, 3))),
    *(cropped(height, width, UNRANKED) for height, width in ((10, 12), (5, 12), (9, 4))),
    case("CenterCrop", "on unknown sizes", (None, None, 3), height=4, width=3, but=INPUT_SHAPE | UNSIZED),
]
