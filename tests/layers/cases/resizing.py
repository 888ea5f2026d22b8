"""Cropping, padding, enlarging and resizing."""

from __future__ import annotations

from tests.layers.case import NO_JAVASCRIPT, case, lacks

SERIES, IMAGE, VOLUME = (9, 3), (8, 7, 3), (6, 5, 7, 2)
FIRST = {"data_format": "channels_first"}
METHODS = ("bicubic", "area", "gaussian", "lanczos3", "lanczos5", "mitchellcubic")

CASES = [
    case("Cropping1D", "plain", SERIES, but=NO_JAVASCRIPT),
    case("Cropping1D", "uneven", SERIES, cropping=[1, 3], but=NO_JAVASCRIPT),
    case("Cropping2D", "by one number", IMAGE, cropping=2),
    case("Cropping2D", "by two numbers", IMAGE, cropping=[1, 2]),
    case("Cropping2D", "uneven", IMAGE, cropping=[[1, 0], [0, 3]]),
    case("Cropping2D", "of nothing", IMAGE, cropping=[[0, 0], [0, 0]]),
    case("Cropping2D", "channels first", IMAGE, cropping=[[1, 0], [2, 1]], data_format="channels_first"),
    case("Cropping2D", "on unknown sizes", (None, None, 3), cropping=[[1, 0], [0, 3]]),
    case("Cropping3D", "plain", VOLUME, but=NO_JAVASCRIPT),
    case("Cropping3D", "uneven", VOLUME, cropping=[[1, 0], [2, 1], [0, 3]], but=NO_JAVASCRIPT),
    case("Cropping3D", "channels first", VOLUME, cropping=[[1, 0], [2, 1], [0, 0]], **FIRST, but=NO_JAVASCRIPT),
    case("ZeroPadding1D", "plain", SERIES, but=NO_JAVASCRIPT),
    case("ZeroPadding1D", "uneven", SERIES, padding=[1, 3], but=NO_JAVASCRIPT),
    case("ZeroPadding2D", "plain", IMAGE),
    case("ZeroPadding2D", "by one number", IMAGE, padding=2),
    case("ZeroPadding2D", "by two numbers", IMAGE, padding=[1, 2]),
    case("ZeroPadding2D", "uneven", IMAGE, padding=[[1, 0], [0, 3]]),
    case("ZeroPadding2D", "channels first", IMAGE, padding=[[1, 0], [2, 1]], data_format="channels_first"),
    case("ZeroPadding2D", "on unknown sizes", (None, None, 3), padding=[[1, 0], [0, 3]]),
    case("ZeroPadding3D", "plain", VOLUME, but=NO_JAVASCRIPT),
    case("ZeroPadding3D", "uneven", VOLUME, padding=[[1, 0], [2, 1], [0, 3]], but=NO_JAVASCRIPT),
    case("ZeroPadding3D", "channels first", VOLUME, padding=[[1, 0], [2, 1], [0, 3]], **FIRST, but=NO_JAVASCRIPT),
    case("UpSampling1D", "plain", SERIES, but=NO_JAVASCRIPT),
    case("UpSampling1D", "by three", SERIES, size=3, but=NO_JAVASCRIPT),
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
    *(
        case("UpSampling2D", method, IMAGE, interpolation=method, but=lacks(javascript="nterpolation"))
        for method in METHODS
    ),
    case("UpSampling3D", "plain", VOLUME, but=NO_JAVASCRIPT),
    case("UpSampling3D", "uneven", VOLUME, size=[2, 1, 3], but=NO_JAVASCRIPT),
    case("UpSampling3D", "channels first", VOLUME, size=[2, 1, 3], **FIRST, but=NO_JAVASCRIPT),
    *(
        case("Resizing", f"{method} to {height}x{width}", IMAGE, height=height, width=width, interpolation=method)
        for method in ("bilinear", "nearest")
        for height, width in ((5, 4), (13, 10), (16, 14), (8, 7))
    ),
    *(
        case("Resizing", method, IMAGE, height=5, width=11, interpolation=method, but=lacks(javascript="nterpolation"))
        for method in METHODS
    ),
    case("Resizing", "that crops", IMAGE, height=4, width=6, crop_to_aspect_ratio=True, but=lacks(javascript="")),
    case("Resizing", "on unknown sizes", (None, None, 3), height=4, width=6),
    case("CenterCrop", "even", IMAGE, height=4, width=3),
    case("CenterCrop", "odd", IMAGE, height=5, width=4),
    case("CenterCrop", "of all", IMAGE, height=8, width=7),
    case("CenterCrop", "beyond the image", IMAGE, height=10, width=12),
    case("CenterCrop", "beyond one side", IMAGE, height=5, width=12),
    case("CenterCrop", "on unknown sizes", (None, None, 3), height=4, width=3),
]
