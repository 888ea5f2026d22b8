"""Activations that are layers."""

from __future__ import annotations

from tests.layers.case import case, lacks
from tests.layers.model import Input, layer

WIDE = Input((3, 9), "wide")
IMAGE = Input((4, 5, 3), "wide")
NOT_KEPT = {"javascript": "does not keep the option"}
LAST_ONLY = lacks(javascript="Softmax along a non-last dimension is not yet supported")

CASES = [
    case("ReLU", "plain", WIDE),
    case("ReLU", "with a largest value", WIDE, max_value=2.5),
    case("ReLU", "six", WIDE, max_value=6.0),
    case("ReLU", "with a slope", WIDE, negative_slope=0.2),
    case("ReLU", "with a threshold", WIDE, threshold=1.5),
    case("ReLU", "with all three", WIDE, max_value=3.0, negative_slope=0.2, threshold=1.5),
    case("ReLU", "with a slope and a threshold", WIDE, negative_slope=0.2, threshold=0.5),
    case("LeakyReLU", "plain", WIDE),
    case("LeakyReLU", "with a slope", WIDE, alpha=0.1),
    case("LeakyReLU", "without a slope", WIDE, alpha=0.0),
    case("PReLU", "plain", WIDE),
    case("PReLU", "with shared axes", IMAGE, shared_axes=[1, 2]),
    case("PReLU", "with one shared axis", IMAGE, shared_axes=[2]),
    case("PReLU", "of unknown sizes", Input((None, None, 3), "wide"), shared_axes=[1, 2]),
    case("ELU", "plain", WIDE),
    case("ELU", "with a slope", WIDE, alpha=0.4, but=lacks(javascript="Non-default alpha value")),
    case("ThresholdedReLU", "plain", WIDE),
    case("ThresholdedReLU", "with a threshold", WIDE, theta=2.0),
    case("Softmax", "plain", Input((9,), "wide")),
    case("Softmax", "over the default axis of a matrix", WIDE, but=LAST_ONLY),
    case("Softmax", "over the last", IMAGE, axis=-1),
    case("Softmax", "over the last as it counts", IMAGE, axis=3),
    case("Softmax", "over the first axis", WIDE, axis=1, but=LAST_ONLY),
    case("Softmax", "over the middle", IMAGE, axis=-2, but=LAST_ONLY),
    case(
        "Softmax",
        "over two axes",
        IMAGE,
        axis=[1, 2],
    ),
    case("Softmax", "of unknown sizes", Input((None, 3), "wide"), axis=1, but=LAST_ONLY),
    *(
        case(
            "Dense",
            f"activated by {kind}",
            (4,),
            units=3,
            activation=layer(kind),
            but=lacks(javascript="Improper config format"),
        )
        for kind in ("ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax")
    ),
]
