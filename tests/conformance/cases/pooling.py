"""Cases of convolution.json: pools."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Value
from tests.conformance.case import Cannot, Case, case
from tests.conformance.images import MIXED, TOLERANCE, VOLUME, X, channels_first, plane

__all__ = ["CASES"]

EXPLICIT: dict[str, Value] = {"padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 1, 1, 0, 0, 0]}


def planes() -> Iterator[Case]:
    sizes = ((2, 2), (3, 1), (3, 2))
    for op, padding, (size, stride) in product(("MaxPool", "AvgPool"), ("SAME", "VALID"), sizes):
        attrs: dict[str, Value] = {"padding": padding, "ksize": plane(size, size), "strides": plane(stride, stride)}
        yield case(op, f"{padding} size {size} stride {stride}", X, tolerance=TOLERANCE, **attrs)
    unequal: dict[str, Value] = {"padding": "SAME", "ksize": plane(3, 2), "strides": plane(1, 2)}
    for op in ("MaxPool", "AvgPool"):
        yield case(op, "unequal", X, tolerance=TOLERANCE, **unequal)
        yield channels_first(op, "NCHW", X, **unequal, javascript=MIXED)
    unread = Cannot("explicit paddings are not read")
    yield case("MaxPool", "EXPLICIT", X, ksize=plane(3, 3), strides=plane(2, 2), **EXPLICIT, javascript=unread)


def volumes() -> Iterator[Case]:
    for op, padding, size in product(("MaxPool3D", "AvgPool3D"), ("SAME", "VALID"), (2, 3)):
        attrs: dict[str, Value] = {"padding": padding, "ksize": [1, size, size, size, 1], "strides": [1, 2, 1, 2, 1]}
        yield case(op, f"{padding} size {size}", VOLUME, tolerance=TOLERANCE, **attrs)
    attrs = {"padding": "VALID", "ksize": [1, 2, 2, 3, 1], "strides": [1, 1, 2, 2, 1]}
    for op in ("MaxPool3D", "AvgPool3D"):
        yield channels_first(op, "NCDHW", VOLUME, **attrs, javascript=MIXED)


def places() -> Iterator[Case]:
    """MaxPoolWithArgmax also gives the places of the largest numbers."""
    for padding, batch in product(("SAME", "VALID"), (False, True)):
        attrs: dict[str, Value] = {"padding": padding, "ksize": plane(2, 2), "strides": plane(2, 2)}
        name = f"{padding} index {'over the batch' if batch else 'in the image'}"
        yield case("MaxPoolWithArgmax", name, X, include_batch_in_index=batch, Targmax=DType.int64, **attrs)


CASES = [*planes(), *volumes(), *places()]
