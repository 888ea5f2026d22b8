"""Pooling over windows and over everything."""

from __future__ import annotations

from collections.abc import Iterator

from tests.layers.case import Case, case
from tests.layers.model import Input, ids, layer

SHAPES = {1: (9, 3), 2: (8, 7, 3), 3: (6, 5, 7, 2)}
UNKNOWN = {1: (None, 3), 2: (None, None, 3), 3: (None, None, None, 2)}
UNEVEN = {1: 4, 2: [3, 2], 3: [1, 2, 3]}


def pooled(kind: str, rank: int) -> Iterator[Case]:
    shape = SHAPES[rank]
    for padding in ("valid", "same"):
        yield case(kind, padding, shape, pool_size=2, padding=padding)
        yield case(kind, f"{padding} of three", shape, pool_size=3, padding=padding)
        yield case(kind, f"{padding} that overlaps", shape, pool_size=3, strides=2, padding=padding)
        yield case(kind, f"{padding} in steps of one", shape, pool_size=2, strides=1, padding=padding)
        yield case(kind, f"{padding} on unknown sizes", UNKNOWN[rank], pool_size=2, padding=padding)
        yield case(kind, f"channels first {padding}", shape, pool_size=2, padding=padding, data_format="channels_first")
    yield case(kind, "in strides beyond the pool", shape, pool_size=1, strides=2)
    yield case(kind, "uneven", shape, pool_size=UNEVEN[rank], strides=UNEVEN[rank])


def globally(kind: str, rank: int) -> Iterator[Case]:
    yield case(kind, "plain", SHAPES[rank])
    yield case(kind, "channels first", SHAPES[rank], data_format="channels_first")
    yield case(kind, "on unknown sizes", UNKNOWN[rank])
    yield case(kind, "that keeps dimensions", SHAPES[rank], keepdims=True)


EMBEDDED = layer("Embedding", input_dim=4, output_dim=3, mask_zero=True)

CASES = [
    *(made for rank in (1, 2, 3) for sort in ("Max", "Average") for made in pooled(f"{sort}Pooling{rank}D", rank)),
    *(
        made
        for rank in (1, 2, 3)
        for sort in ("Max", "Average")
        for made in globally(f"Global{sort}Pooling{rank}D", rank)
    ),
    case("GlobalAveragePooling1D", "of masked steps", ids(6), before=[EMBEDDED]),
    case("GlobalMaxPooling1D", "of masked steps", ids(6), before=[EMBEDDED]),
    case("GlobalAveragePooling1D", "after Masking", Input((6, 3), "padded"), before=[layer("Masking")]),
    case(
        "GlobalAveragePooling1D",
        "of masked steps that keeps dimensions",
        ids(6),
        before=[EMBEDDED],
        keepdims=True,
    ),
]
