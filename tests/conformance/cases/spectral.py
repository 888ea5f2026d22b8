"""Cases of spectral.json: Fourier transforms along the last axis."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.conformance.case import Case, Const, Differs, case

__all__ = ["CASES"]

LENGTHS = (1, 2, 4, 6, 8)
ONE_ROW = Differs("a vector comes out as a matrix of one row")
OTHER_SHAPES = Differs("the length is not read")


def wave(*shape: int) -> np.ndarray:
    """Numbers without a pattern that a transform would hide."""
    return np.cos(np.arange(np.prod(shape)) ** 2.0).reshape(shape).astype(np.float32)


def complex_wave(*shape: int) -> np.ndarray:
    return (wave(*shape) + 1j * wave(*shape)[..., ::-1]).astype(np.complex64)


def transforms() -> Iterator[Case]:
    for op in ("FFT", "IFFT"):
        for length in LENGTHS:
            yield case(op, f"length {length}", complex_wave(length), tolerance=1e-4)
        yield case(op, "batch", complex_wave(3, 4), tolerance=1e-4)
        yield case(op, "two batches", complex_wave(2, 3, 5), tolerance=1e-4)
    for length in LENGTHS:
        yield case("RFFT", f"length {length}", wave(length), Const([length]), tolerance=1e-4)
        half = complex_wave(length // 2 + 1)
        yield case("IRFFT", f"length {length}", half, Const([length]), tolerance=1e-4, javascript=ONE_ROW)
        yield case("IRFFT", f"row of length {length}", half[None], Const([length]), tolerance=1e-4)
    yield case("RFFT", "batch", wave(3, 8), Const([8]), tolerance=1e-4)
    yield case("IRFFT", "batch", complex_wave(3, 5), Const([8]), tolerance=1e-4)
    yield case("RFFT", "cut", wave(8), Const([4]), tolerance=1e-4, javascript=OTHER_SHAPES)
    yield case("IRFFT", "cut", complex_wave(1, 5), Const([6]), tolerance=1e-4, javascript=OTHER_SHAPES)
    yield case("IRFFT", "odd", complex_wave(1, 4), Const([7]), tolerance=1e-4, javascript=OTHER_SHAPES)


CASES = list(transforms())
