"""Layers of several inputs."""

from __future__ import annotations

from tests.layers.case import RECURRENT, case, lacks, made
from tests.layers.model import Input, ids, layer, wired

PAIR, THREE = [(4, 3), (4, 3)], [(5,), (5,), (5,)]
EMBEDDED = layer("Embedding", input_dim=4, output_dim=3, mask_zero=True)
OF_MASKS = lacks(javascript="could not be broadcast together with shapes 2,2 and 1,6")
"""TensorFlow.js cannot join the masks."""
MASKED = {"a": ids(6), "b": ids(6)}

CASES = [
    *(
        made_
        for kind in ("Add", "Average", "Maximum", "Minimum", "Multiply")
        for made_ in (
            case(kind, "of two", PAIR),
            case(kind, "of three", THREE),
            case(kind, "that broadcasts", [(4, 3), (1, 3)]),
            case(kind, "that broadcasts ranks", [(4, 3), (3,)]),
            case(kind, "of unknown sizes", [(None, 3), (None, 3)]),
        )
    ),
    case("Subtract", "of two", PAIR),
    case("Concatenate", "of two", PAIR),
    case("Concatenate", "of three", [(5,), (2,), (3,)]),
    case("Concatenate", "along the first axis", [(4, 3), (2, 3)], axis=1),
    case("Concatenate", "along a negative axis", [(4, 3, 2), (4, 1, 2)], axis=-2, but=lacks(javascript="concat4D")),
    case("Concatenate", "of unknown sizes", [(None, 3), (None, 2)]),
    case("Dot", "of vectors", [(5,), (5,)], axes=1),
    case("Dot", "of vectors that normalizes", [(5,), (5,)], axes=1, normalize=True),
    case("Dot", "of matrices", [(4, 3), (3, 5)], axes=[2, 1]),
    case("Dot", "of matrices over the last", [(4, 3), (5, 3)], axes=2),
    case("Dot", "of matrices over negative axes", [(4, 3), (5, 3)], axes=-1),
    case("Dot", "of matrices that normalizes", [(4, 3), (5, 4)], axes=[1, 2], normalize=True),
    case("Dot", "of a matrix and a vector", [(4, 3), (3,)], axes=[2, 1]),
    case("Dot", "of volumes", [(2, 4, 3), (2, 5, 3)], axes=[3, 3], but=lacks(javascript="4D or higher rank")),
    made("Add", "of one tensor twice", wired("y = add([x, x])", {"x": Input((3,))}, add=layer("Add"))),
    *(
        made(
            kind,
            "of masked steps",
            wired(
                "y = pool(merge([e(a), f(b)]))",
                MASKED,
                e=EMBEDDED,
                f=EMBEDDED,
                merge=layer(kind),
                pool=layer("LSTM", units=2),
            ),
            tolerance=RECURRENT,
            but=but,
        )
        for kind, but in {"Add": OF_MASKS, "Multiply": OF_MASKS, "Concatenate": {}}.items()
    ),
]
