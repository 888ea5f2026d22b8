"""Layers that prepare inputs, and those that change pictures only while a model is trained."""

from __future__ import annotations

from tests.layers.case import KERAS_2, KERAS_3, Case, Refused, case, lacks
from tests.layers.model import Input, ids, layer

IMAGE = (8, 7, 3)
RANDOM = {
    "RandomBrightness": {"factor": 0.2},
    "RandomContrast": {"factor": 0.2},
    "RandomFlip": {},
    "RandomRotation": {"factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
}

UNSAVED = {"RandomBrightness": lacks(keras3="cannot pickle 'module' object")}
INPUT_SHAPE = lacks(javascript="Error when checking : expected x to have")
"""TensorFlow.js writes the shape of the output for that of the input, and refuses the input when it loads its file."""
ONE, SEVERAL = (ids(size, below=5, dtype="int32") for size in (1, 4))
REFUSED = {origin: Refused("Keras layers of this kind cannot be imported") for origin in (KERAS_2, KERAS_3)}
MODES = ("multi_hot", "one_hot", "count")
PASS = layer("Reshape", target_shape=[4])


def encoded(mode: str, name: str, given: Input, **words: str) -> Case:
    but = {**INPUT_SHAPE, **lacks(**words)}
    return case("CategoryEncoding", f"{mode} of {name}", given, num_tokens=5, output_mode=mode, but=but)


CASES = [
    case("Rescaling", "plain", IMAGE, scale=1 / 255),
    case("Rescaling", "with an offset", IMAGE, scale=2.0, offset=-1.0),
    case("Rescaling", "of each channel", IMAGE, scale=[0.5, 2.0, 1.0], offset=[0.0, 1.0, -1.0]),
    *(encoded(mode, "one", ONE) for mode in MODES),
    *(encoded(mode, "several", SEVERAL) for mode in ("multi_hot", "count")),
    encoded("one_hot", "several", SEVERAL, keras2="maximum supported output rank is 2"),
    *(
        case(
            "CategoryEncoding",
            f"{mode} after another layer",
            ids(4, below=5),
            before=[PASS],
            num_tokens=5,
            output_mode=mode,
        )
        for mode in ("multi_hot", "count")
    ),
    case("Normalization", "by constants", (3,), mean=0.5, variance=2.0),
    case(
        "Normalization",
        "by constants of each feature",
        (4, 3),
        mean=[0.5, 1.0, -1.0],
        variance=[2.0, 0.5, 3.0],
    ),
    case("Normalization", "that inverts", (3,), mean=0.5, variance=2.0, invert=True),
    case("Normalization", "by weights", (4, 3)),
    case("Normalization", "by weights of no axis", (4, 3), axis=None),
    case("Normalization", "by weights of two axes", (4, 3), axis=[1, 2]),
    case("Discretization", "plain", (4,), bin_boundaries=[-0.5, 0.0, 0.5], but=REFUSED),
    *(case(kind, "passes", IMAGE, **options, but=UNSAVED.get(kind)) for kind, options in RANDOM.items()),
    case("RandomCrop", "crops the centre", IMAGE, height=5, width=4, but=REFUSED),
]
