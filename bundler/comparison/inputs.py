"""Inputs of a signature: those of a check, or random ones of its dtypes and shapes.

Random values are the same in every run. They fit their input as far as its dtype and shape show what it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from bundler.errors import BundlerError, within
from bundler.ir.dtypes import DType
from bundler.ir.model import Signature, TensorSpec
from bundler.ir.nodes import Shape
from bundler.manifest import InputSpec

__all__ = ["Feeds", "drawn", "images", "perturbed"]

_SIZES = ((4, 64), (1, 64), (1, 16), (1, 224), (1, 8), (1, 1), (1, 2), (64, 64))
"""Rows, and sizes for other open dimensions, in the order in which they are tried."""
_LARGEST_ROW = 1 << 12
"""Elements of an input that may have several rows: TensorFlow.js takes long for large ones."""
_RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
"""Ranges of floats, in the order in which they are tried."""
_MOST_ELEMENTS = 1 << 24
_CHANNELS = (1, 3, 4)
_WORDS = ("a", "b", "the quick brown fox", "0", "")


@dataclass(frozen=True)
class Feeds:
    """Values of the inputs by name, and where they came from, in words."""

    values: Mapping[str, np.ndarray]
    origin: str

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shape of each value."""
        return [value.shape for value in self.values.values()]


def drawn(
    signature: Signature, known: Mapping[str, Shape], wanted: Mapping[str, InputSpec], *, seed: int = 0
) -> Iterator[Feeds]:
    """Random inputs of one size and range after the other, for a caller that takes the first which suit.

    `known` are shapes that the model itself gives its inputs, for sizes that the signature leaves open; `wanted` is
    what a check says of inputs. Raises BundlerError if that does not fit the signature.
    """
    _refuse_unfit(signature, wanted)
    tried: list[Mapping[str, tuple[int, ...]]] = []
    for sizes in _SIZES:
        shapes = {
            name: _shape(spec, known.get(name), wanted.get(name), sizes) for name, spec in signature.inputs.items()
        }
        if shapes in tried or _is_too_large(shapes, rows=sizes[0]):
            continue
        tried.append(shapes)
        for low, high in _RANGES if _has_free_floats(signature, wanted) else _RANGES[:1]:
            values = {
                name: _values(_random(seed, name), spec, shapes[name], wanted.get(name), (low, high))
                for name, spec in signature.inputs.items()
            }
            yield Feeds(values, _said(signature, shapes, wanted, (low, high)))


def perturbed(feeds: Mapping[str, np.ndarray], part: float, *, seed: int = 1) -> dict[str, np.ndarray]:
    """The same inputs, with each float changed by `part` of the largest one, up or down."""
    return {name: _shaken(_random(seed, name), value, part) for name, value in feeds.items()}


def images(spec: TensorSpec) -> bool:
    """Whether an input may be a batch of images, by its shape."""
    return spec.shape is not None and len(spec.shape) == 4 and spec.shape[-1] in _CHANNELS


def _shaken(random: np.random.Generator, value: np.ndarray, part: float) -> np.ndarray:
    if value.dtype.kind not in "fc" or not value.size:
        return value
    step = part * float(np.max(np.abs(value)))
    return np.asarray(value + step * random.choice((-1.0, 1.0), value.shape)).astype(value.dtype)


def _random(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, crc32(name.encode())])


# Sizes -------------------------------------------------------------------------------------------


def _is_too_large(shapes: Mapping[str, tuple[int, ...]], rows: int) -> bool:
    elements = sum(map(math.prod, shapes.values()))
    return elements > (_MOST_ELEMENTS if rows == 1 else rows * _LARGEST_ROW)


def _shape(spec: TensorSpec, known: Shape | None, wanted: InputSpec | None, sizes: tuple[int, int]) -> tuple[int, ...]:
    if wanted is not None and wanted.shape is not None:
        return wanted.shape
    merged = _merged(spec.shape, known)
    return tuple(sizes[min(axis, 1)] if found is None else found for axis, found in enumerate(merged))


def _merged(shape: Shape | None, known: Shape | None) -> Shape:
    """The signature's shape; sizes that it leaves open are the model's. An input of unknown rank is a vector."""
    if shape is None:
        return known if known is not None else (None,)
    if known is None or len(known) != len(shape):
        return shape
    return tuple(there if here is None else here for here, there in zip(shape, known))


# Values ------------------------------------------------------------------------------------------


def _values(
    random: np.random.Generator,
    spec: TensorSpec,
    shape: tuple[int, ...],
    wanted: InputSpec | None,
    floats: tuple[float, float],
) -> np.ndarray:
    dtype = spec.dtype or DType.float32
    if wanted is not None and wanted.values is not None:
        return _chosen(random, dtype, shape, wanted.values)
    if dtype == DType.string:
        return _chosen(random, dtype, shape, _WORDS)
    if dtype == DType.bool:
        return np.asarray(random.integers(0, 2, shape)).astype(bool)
    low, high = wanted.range if wanted is not None and wanted.range is not None else _default_range(spec, floats)
    if dtype.numpy.kind in "iu":
        return np.asarray(random.integers(math.ceil(low), math.floor(high) + 1, shape)).astype(dtype.numpy)
    real = random.uniform(low, high, shape)
    return np.asarray(real + 1j * random.uniform(low, high, shape) if dtype.numpy.kind == "c" else real).astype(
        dtype.numpy
    )


def _default_range(spec: TensorSpec, floats: tuple[float, float]) -> tuple[float, float]:
    """For whole numbers 0 to 255 if they may be an image; else 0 and 1, which every table has as indices."""
    dtype = spec.dtype or DType.float32
    if dtype.numpy.kind not in "iu":
        return floats
    return (0, 255) if images(spec) or dtype == DType.uint8 else (0, 1)


def _chosen(
    random: np.random.Generator, dtype: DType, shape: tuple[int, ...], values: tuple[object, ...]
) -> np.ndarray:
    picked = np.asarray(random.integers(0, len(values), shape))
    if dtype != DType.string:
        return np.array(values)[picked].astype(dtype.numpy)
    texts = np.empty(len(values), object)
    texts[:] = [str(value).encode() for value in values]
    return np.asarray(texts[picked], object)


# What a check says -------------------------------------------------------------------------------


def _has_free_floats(signature: Signature, wanted: Mapping[str, InputSpec]) -> bool:
    return any(
        spec.dtype is None or (spec.dtype.is_number and spec.dtype.numpy.kind in "fc")
        for name, spec in signature.inputs.items()
        if name not in wanted or (wanted[name].range is None and wanted[name].values is None)
    )


def _refuse_unfit(signature: Signature, wanted: Mapping[str, InputSpec]) -> None:
    for name in wanted:
        if name not in signature.inputs:
            found = ", ".join(signature.inputs) or "none"
            raise BundlerError("the signature has no such input", found=repr(name), expected=found)
    for name, spec in signature.inputs.items():
        with within(f"input {name!r}"):
            _refuse_unfit_input(spec, wanted.get(name, InputSpec()))


def _refuse_unfit_input(spec: TensorSpec, wanted: InputSpec) -> None:
    dtype = spec.dtype or DType.float32
    if not (dtype.is_number or dtype == DType.string):
        raise BundlerError("values of this dtype cannot be drawn", found=str(dtype))
    if wanted.shape is not None and spec.shape is not None and not _fits(wanted.shape, spec.shape):
        raise BundlerError("the input has another shape", found=str(wanted.shape), expected=str(spec.shape))
    if dtype.is_number and any(isinstance(value, str) for value in wanted.values or ()):
        raise BundlerError("the values are texts, and the input takes numbers", expected=str(dtype))
    if dtype.is_number and dtype.numpy.kind in "iu" and wanted.range is not None:
        low, high = wanted.range
        known = np.iinfo(dtype.name)
        if math.ceil(low) > math.floor(high) or low < known.min or high > known.max:
            raise BundlerError(f"no {dtype} is in this range", found=str(list(wanted.range)))


def _fits(shape: tuple[int, ...], allowed: Shape) -> bool:
    return len(shape) == len(allowed) and all(size in (one, None) for one, size in zip(shape, allowed))


def _said(
    signature: Signature,
    shapes: Mapping[str, tuple[int, ...]],
    wanted: Mapping[str, InputSpec],
    floats: tuple[float, float],
) -> str:
    """In words, the sizes that were chosen, and the ranges."""
    return "random: " + ", ".join(
        f"{name}{list(shapes[name])}{_said_range(spec, wanted.get(name), floats)}"
        for name, spec in signature.inputs.items()
    )


def _said_range(spec: TensorSpec, wanted: InputSpec | None, floats: tuple[float, float]) -> str:
    if wanted is not None and wanted.values is not None:
        return f" of {len(wanted.values)} values"
    dtype = spec.dtype or DType.float32
    if dtype in (DType.string, DType.bool):
        return f" of {dtype}"
    low, high = wanted.range if wanted is not None and wanted.range is not None else _default_range(spec, floats)
    return f" from {low:g} to {high:g}"
