"""Normalization over the batch's statistics or the input's own."""

from __future__ import annotations

from tests.layers.case import JAVASCRIPT, Differs, case, lacks
from tests.layers.model import Input

IMAGE = (4, 5, 6)

CYCLES = {JAVASCRIPT: Differs("its kernel for CPUs does not broadcast")}
"""tfjs-backend-cpu/src/kernels/BatchNorm.ts goes through the parameters as if they were of the last axis."""

CASES = [
    case("BatchNormalization", "plain", (6,)),
    case("BatchNormalization", "of an image", IMAGE),
    case("BatchNormalization", "of a volume", (3, 2, 4, 5), but=lacks(javascript="rank 5")),
    case("BatchNormalization", "over the first axis", IMAGE, axis=1, but=CYCLES),
    case("BatchNormalization", "over the middle", IMAGE, axis=2, but=CYCLES),
    case("BatchNormalization", "over a negative axis", IMAGE, axis=-2, but=CYCLES),
    case("BatchNormalization", "with a small epsilon", IMAGE, epsilon=1e-5),
    case("BatchNormalization", "with a large epsilon", IMAGE, epsilon=0.5),
    case("BatchNormalization", "without scale", IMAGE, scale=False),
    case("BatchNormalization", "without center", IMAGE, center=False),
    case("BatchNormalization", "without both", IMAGE, center=False, scale=False),
    case("BatchNormalization", "on unknown sizes", (None, None, 3)),
    case("BatchNormalization", "with a momentum", IMAGE, momentum=0.5),
    case("LayerNormalization", "plain", (6,)),
    case("LayerNormalization", "of an image", IMAGE),
    case("LayerNormalization", "over the first axis", IMAGE, axis=1),
    case("LayerNormalization", "over two axes", IMAGE, axis=[2, 3]),
    case("LayerNormalization", "over the first two axes", IMAGE, axis=[1, 2]),
    case("LayerNormalization", "over all axes", IMAGE, axis=[1, 2, 3]),
    case("LayerNormalization", "over outer axes", IMAGE, axis=[1, 3]),
    case("LayerNormalization", "with a small epsilon", IMAGE, epsilon=1e-6),
    case("LayerNormalization", "with a large epsilon", IMAGE, epsilon=0.5),
    case("LayerNormalization", "without scale", IMAGE, scale=False),
    case("LayerNormalization", "without center", IMAGE, center=False),
    case("LayerNormalization", "without both", IMAGE, center=False, scale=False),
    case("LayerNormalization", "on unknown sizes", (None, 6)),
    case("LayerNormalization", "of one feature", (4, 1)),
    case("LayerNormalization", "of far values", Input((4, 6), "wide"), epsilon=1e-5),
    case("GroupNormalization", "plain", IMAGE, groups=2),
    case("GroupNormalization", "of one group", IMAGE, groups=1),
    case("GroupNormalization", "of each channel", IMAGE, groups=-1),
    case("GroupNormalization", "of a series", (7, 6), groups=3, epsilon=1e-5),
    case("GroupNormalization", "over the first axis", IMAGE, groups=2, axis=1),
    case("GroupNormalization", "of each channel of the first axis", IMAGE, groups=-1, axis=1),
    case("GroupNormalization", "over the middle", IMAGE, groups=5, axis=2),
    case("GroupNormalization", "without both", IMAGE, groups=3, center=False, scale=False),
    case("GroupNormalization", "on unknown sizes", (None, None, 4), groups=2),
    case("UnitNormalization", "plain", (6,)),
    case("UnitNormalization", "over two axes", IMAGE, axis=[1, 2]),
    case("RMSNormalization", "plain", IMAGE),
    case("RMSNormalization", "over two axes", IMAGE, axis=[2, 3]),
    case("RMSNormalization", "over the first axis", IMAGE, axis=1, but=lacks(keras3="input shapes: [2,4,5,6], [4]")),
    case(
        "RMSNormalization",
        "with an epsilon",
        (6,),
        epsilon=0.1,
    ),
]
