"""Convolutions, transposed, separable and depthwise ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.layers.case import KERAS_3, Case, Differs, case, lacks
from tests.layers.model import Input

SERIES, IMAGE, VOLUME = (9, 4), (8, 7, 4), (6, 5, 7, 2)
FIRST = {1: (4, 11), 2: (4, 8, 11), 3: (2, 6, 5, 7)}
UNKNOWN = {1: (None, 4), 2: (None, None, 4), 3: (None, None, None, 2)}
KNOWN = {1: SERIES, 2: IMAGE, 3: VOLUME}
ALONG_WIDTH = {KERAS_3: Differs("it adds the bias along the width if that has as many elements as there are channels")}
"""`add` in keras/src/backend/tensorflow/numpy.py takes it for a bias of the last axis."""
CAUSAL = lacks(javascript="CAUSAL padding mode in conv1dWithBias is not implemented")
LACKING = {
    ("Conv2DTranspose", "dilated unequally"): lacks(keras2="dimensions of the `dilation_rate` argument to be equal"),
    **{
        ("SeparableConv2D", f"channels first {padding}"): lacks(javascript="could not be broadcast")
        for padding in ("valid", "same")
    },
}
UNEVEN = {1: 2, 2: [3, 2], 3: [1, 2, 3]}


def window(kind: str, rank: int, **options: Any) -> Iterator[Case]:
    """What all convolutions have: padding, strides, dilation, sizes, a bias, an activation."""
    shape = KNOWN[rank]
    for padding in ("valid", "same"):
        yield case(kind, padding, shape, **options, kernel_size=3, padding=padding)
        yield case(kind, f"{padding} in strides", shape, **options, kernel_size=3, padding=padding, strides=2)
        yield case(kind, f"{padding} with an even kernel", shape, **options, kernel_size=2, padding=padding, strides=2)
        yield case(kind, f"{padding} on unknown sizes", UNKNOWN[rank], **options, kernel_size=2, padding=padding)
    yield case(kind, "with an uneven kernel", shape, **options, kernel_size=UNEVEN[rank])
    yield case(kind, "with a kernel of one", shape, **options, kernel_size=1)
    yield case(kind, "in strides beyond the kernel", shape, **options, kernel_size=1, strides=3)
    yield case(kind, "without bias", shape, **options, kernel_size=2, use_bias=False)
    yield case(kind, "activated", shape, **options, kernel_size=2, activation="relu")
    yield case(kind, "activated by sigmoid", shape, **options, kernel_size=2, padding="same", activation="sigmoid")
    yield case(kind, "on a batch of one", Input(shape, batch=1), **options, kernel_size=2)


def dilated(kind: str, rank: int, **options: Any) -> Iterator[Case]:
    """Dilation; unequal rates if there are several."""
    shape, unequal = KNOWN[rank], {2: [2, 1], 3: [2, 1, 3]}
    for padding in ("valid", "same"):
        yield case(kind, f"dilated {padding}", shape, **options, kernel_size=2, padding=padding, dilation_rate=2)
    if rank in unequal:
        yield case(
            kind,
            "dilated unequally",
            shape,
            **options,
            kernel_size=2,
            dilation_rate=unequal[rank],
            but=LACKING.get((kind, "dilated unequally")),
        )


def first(kind: str, rank: int, **options: Any) -> Iterator[Case]:
    """Channels before the other dimensions."""
    for padding in ("valid", "same"):
        more = {**options, "kernel_size": 2, "strides": 2, "padding": padding, "data_format": "channels_first"}
        name = f"channels first {padding}"
        yield case(kind, name, FIRST[rank], **more, but=LACKING.get((kind, name)))


def transposed(kind: str, rank: int, **options: Any) -> Iterator[Case]:
    """Output padding of transposed convolutions."""
    for padding in ("valid", "same"):
        more = {**options, "kernel_size": 3, "strides": 2, "padding": padding, "output_padding": 1}
        yield case(kind, f"{padding} with output padding", KNOWN[rank], **more)
    yield case(kind, "in uneven strides", KNOWN[rank], **options, kernel_size=2, strides=UNEVEN[rank])


CASES = [
    *(
        made
        for rank in (1, 2, 3)
        for family in (window, dilated, first)
        for made in family(f"Conv{rank}D", rank, filters=2)
    ),
    case("Conv1D", "causal", SERIES, filters=3, kernel_size=3, padding="causal", but=CAUSAL),
    case(
        "Conv1D", "causal and dilated", SERIES, filters=3, kernel_size=3, padding="causal", dilation_rate=2, but=CAUSAL
    ),
    case("Conv1D", "causal in strides", SERIES, filters=3, kernel_size=3, padding="causal", strides=2, but=CAUSAL),
    case("Conv1D", "causal on unknown sizes", (None, 4), filters=3, kernel_size=2, padding="causal", but=CAUSAL),
    case("Conv1D", "grouped", SERIES, filters=6, kernel_size=3, groups=2),
    case("Conv2D", "grouped", IMAGE, filters=6, kernel_size=3, groups=2),
    case("Conv2D", "grouped to the channel", IMAGE, filters=4, kernel_size=2, groups=4, padding="same"),
    case("Conv2D", "grouped in strides", IMAGE, filters=4, kernel_size=3, groups=2, strides=2),
    case("Conv3D", "grouped", (6, 5, 7, 4), filters=4, kernel_size=2, groups=2),
    case("Conv2D", "in uneven strides", IMAGE, filters=2, kernel_size=3, strides=[2, 3], padding="same"),
    case("Conv2D", "in a stack", IMAGE, stack=True, filters=2, kernel_size=3),
    case("Conv2D", "to one filter", (8, 7, 1), filters=1, kernel_size=3),
    *(made for family in (window, dilated, first, transposed) for made in family("Conv1DTranspose", 1, filters=2)),
    *(made for family in (window, dilated, first, transposed) for made in family("Conv2DTranspose", 2, filters=2)),
    *(made for family in (window, first, transposed) for made in family("Conv3DTranspose", 3, filters=2)),
    *(made for family in (window, dilated, first) for made in family("SeparableConv1D", 1, filters=3)),
    *(made for family in (window, dilated, first) for made in family("SeparableConv2D", 2, filters=3)),
    case("SeparableConv1D", "multiplied", SERIES, filters=3, kernel_size=3, depth_multiplier=2),
    case("SeparableConv2D", "multiplied", IMAGE, filters=3, kernel_size=3, depth_multiplier=2),
    *(made for family in (window, dilated, first) for made in family("DepthwiseConv1D", 1)),
    *(made for family in (window, dilated, first) for made in family("DepthwiseConv2D", 2)),
    case(
        "DepthwiseConv2D",
        "channels first as wide as its channels",
        (4, 8, 5),
        kernel_size=2,
        data_format="channels_first",
        but=ALONG_WIDTH,
    ),
    case("DepthwiseConv1D", "multiplied", SERIES, kernel_size=3, depth_multiplier=2),
    case("DepthwiseConv2D", "multiplied", IMAGE, kernel_size=3, depth_multiplier=2),
    case(
        "DepthwiseConv2D", "multiplied in strides", IMAGE, kernel_size=3, depth_multiplier=3, strides=2, padding="same"
    ),
]
