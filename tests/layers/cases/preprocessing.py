"""Layers that prepare inputs, and those that change pictures only while a model is trained."""

from __future__ import annotations

from tests.layers.case import NO_JAVASCRIPT, case, lacks
from tests.layers.model import ids

IMAGE = (8, 7, 3)
RANDOM = {
    "RandomBrightness": {"factor": 0.2},
    "RandomContrast": {"factor": 0.2},
    "RandomFlip": {},
    "RandomRotation": {"factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
}

CASES = [
    case("Rescaling", "plain", IMAGE, scale=1 / 255),
    case("Rescaling", "with an offset", IMAGE, scale=2.0, offset=-1.0),
    case("Rescaling", "of each channel", IMAGE, scale=[0.5, 2.0, 1.0], offset=[0.0, 1.0, -1.0]),
    *(
        case("CategoryEncoding", f"{mode} of {name}", given, num_tokens=5, output_mode=mode)
        for mode in ("multi_hot", "one_hot", "count")
        for name, given in {"one": ids(1, below=5, dtype="int32"), "several": ids(4, below=5, dtype="int32")}.items()
    ),
    case("Normalization", "by constants", (3,), mean=0.5, variance=2.0, but=NO_JAVASCRIPT),
    case(
        "Normalization",
        "by constants of each feature",
        (4, 3),
        mean=[0.5, 1.0, -1.0],
        variance=[2.0, 0.5, 3.0],
        but=NO_JAVASCRIPT,
    ),
    case("Normalization", "that inverts", (3,), mean=0.5, variance=2.0, invert=True, but=NO_JAVASCRIPT),
    case("Normalization", "by weights", (4, 3), but=NO_JAVASCRIPT),
    case("Normalization", "by weights of no axis", (4, 3), axis=None, but=NO_JAVASCRIPT),
    case("Normalization", "by weights of two axes", (4, 3), axis=[1, 2], but=NO_JAVASCRIPT),
    case("Discretization", "plain", (4,), bin_boundaries=[-0.5, 0.0, 0.5], but=NO_JAVASCRIPT),
    *(case(kind, "passes", IMAGE, **options, but=NO_JAVASCRIPT) for kind, options in RANDOM.items()),
    case("RandomCrop", "crops the centre", IMAGE, height=5, width=4, but=NO_JAVASCRIPT),
]
