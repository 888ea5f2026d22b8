"""A check that a model made for one row computes several: a Reshape to [1, …] in it would mix them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from bundler.errors import Fault, VerificationError, within
from bundler.ir.dtypes import DType
from bundler.ir.model import TensorSpec
from bundler.outputs.savedmodel import MetaGraph
from bundler.report import Check
from bundler.runtimes.failures import Failure, meaning
from bundler.runtimes.tensorflow import Runtime

__all__ = ["batches"]

_SIZES = (16, 1, 64, 224, 2, 8)
"""Sizes for open dimensions; the first that the model takes is used."""
_MOST_ELEMENTS = 1 << 26
_SECONDS = 120
"""For one run: a model may loop without end."""
_TOLERANCE = 1e-4
"""Relative to the largest absolute value: kernels add in another order for another number of rows."""
_HINT = "the graph has its batch built in, as a Reshape to [1, …] has: keep its number of rows in `shapes`"


def batches(folder: Path, metagraph: MetaGraph, owners: Mapping[str, str], runtime: Runtime) -> Check:
    """Run signatures of a written MetaGraph with several rows, and compare with the results of each row alone.

    `owners` are the names of the models behind the signatures, by key. The inputs are random, and the same in every
    run. Raises VerificationError if numbers differ, or TensorFlow refuses to run.
    """
    started = time.perf_counter()
    faults: list[Fault] = []
    for key, model in owners.items():
        place = f"model {model!r}: signature {key!r}"
        with within(place), meaning(VerificationError):
            faults += [fault.inside(place) for fault in _Tried(folder, metagraph, key, runtime).faults()]
    if faults:
        raise VerificationError.of(faults)
    return Check("batches", f"{len(owners)} signatures tried in {time.perf_counter() - started:.2f} s")


class _Tried:
    """A signature that is run with `rows` rows: two, or as many as its inputs fix."""

    def __init__(self, folder: Path, metagraph: MetaGraph, key: str, runtime: Runtime) -> None:
        self._folder, self._tags, self._runtime = folder, metagraph.tags, runtime
        signature = metagraph.model.signatures[key]
        self._inputs = {spec.tensor.full: spec for spec in signature.inputs.values()}
        self._outputs = {name: spec.tensor.full for name, spec in signature.outputs.items()}
        sizes = {spec.shape[0] for spec in self._inputs.values() if spec.shape}
        self._open = None in sizes
        self._rows = 2 if self._open else max((size for size in sizes if size), default=1)

    def faults(self) -> Iterator[Fault]:
        """The outputs whose rows depend on one another."""
        feeds = self._feeds(self._size)
        try:
            whole = self._run(feeds)
        except Failure as failure:
            what = f"TensorFlow does not run {self._rows} rows"
            raise VerificationError(what, found=failure.fault.what, hint=_HINT) from failure
        expected = self._by_row(feeds) if self._open else self._by_change(feeds)
        for name, found, candidates in zip(self._outputs, whole, zip(*expected)):
            if not any(_is_close(found, candidate) for candidate in candidates):
                shapes = f"{list(found.shape)} of {self._rows} rows"
                yield Fault("several rows give other numbers than each alone", f"output {name!r}", shapes, hint=_HINT)

    @cached_property
    def _size(self) -> int:
        """A size for the open dimensions that the model takes. Raises VerificationError if it takes none."""
        said = ""
        for size in _SIZES:
            if sum(math.prod(self._shape(spec, size)) for spec in self._inputs.values()) <= _MOST_ELEMENTS:
                try:
                    self._run(self._part(self._feeds(size), 0) if self._open else self._feeds(size))
                    return size
                except Failure as failure:
                    said = failure.fault.what
        raise VerificationError(
            "the model does not run with random numbers, so several rows cannot be tried",
            found=said,
            hint="--no-check leaves this out",
        )

    def _by_row(self, feeds: Mapping[str, np.ndarray]) -> list[tuple[np.ndarray | None, ...]]:
        """The results that each output may have if the number of rows is open: one call for each row.

        First the rows of these calls joined; second, for outputs that have no rows, the result that all calls share.
        """
        parts = [self._run(self._part(feeds, row)) for row in range(self._rows)]
        return [tuple(map(_joined, zip(*parts))), tuple(map(_common, zip(*parts)))]

    def _by_change(self, feeds: Mapping[str, np.ndarray]) -> list[tuple[np.ndarray | None, ...]]:
        """The results that each output may have if the number of rows is fixed: calls with some rows replaced.

        First the first row of a call that replaced the others, and the others of a call that replaced the first.
        Second, for outputs that depend on no input, the result of a call that replaced all.
        """
        other = self._feeds(self._size, seed=1)
        below = self._run({name: self._headed(name, value, other[name]) for name, value in feeds.items()})
        above = self._run({name: self._headed(name, other[name], value) for name, value in feeds.items()})
        kept = [_headed(*pair) if pair[0].shape[:1] == (self._rows,) else None for pair in zip(above, below)]
        return [tuple(kept), tuple(self._run(other))]

    def _headed(self, name: str, value: np.ndarray, first: np.ndarray) -> np.ndarray:
        """An input with its first row replaced; unchanged if it has no rows."""
        return _headed(first, value) if self._has_rows(name) else value

    def _part(self, feeds: Mapping[str, np.ndarray], row: int) -> dict[str, np.ndarray]:
        return {name: value[row : row + 1] if self._has_rows(name) else value for name, value in feeds.items()}

    def _has_rows(self, name: str) -> bool:
        shape = self._inputs[name].shape
        return bool(shape) and shape[0] == (None if self._open else self._rows)  # type: ignore[index]

    def _feeds(self, size: int, seed: int = 0) -> dict[str, np.ndarray]:
        random = np.random.default_rng(seed)
        return {name: _values(random, spec, self._shape(spec, size)) for name, spec in self._inputs.items()}

    def _shape(self, spec: TensorSpec, size: int) -> tuple[int, ...]:
        first, *others = spec.shape or (None,)
        if spec.shape == ():
            return ()
        return (self._rows if first is None else first, *(size if other is None else other for other in others))

    def _run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        return self._runtime.run(self._folder, self._tags, feeds, list(self._outputs.values()), _SECONDS)


def _values(random: np.random.Generator, spec: TensorSpec, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers from 0 to 1: an integer may be an index, and every table has these. The rows differ."""
    if spec.dtype is None or (spec.dtype != DType.string and spec.dtype.numpy.kind in "fc"):
        return random.random(shape).astype(np.float32 if spec.dtype is None else spec.dtype.numpy)
    values = random.integers(0, 2, shape)
    if shape:
        values.reshape(shape[0], -1)[:, :1] = np.arange(shape[0])[:, None] % 2
    if spec.dtype == DType.string:
        return np.where(values, b"b", b"a").astype(object)
    return values.astype(spec.dtype.numpy)


def _headed(first: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The first row of one array, and the other rows of another."""
    return np.concatenate([first[:1], others[1:]])


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray | None:
    """The rows of several calls; None if a call did not return one row."""
    return np.concatenate(parts) if all(part.ndim and part.shape[0] == 1 for part in parts) else None


def _common(parts: Sequence[np.ndarray]) -> np.ndarray | None:
    """The result that all calls share; None if they differ."""
    first, *others = parts
    return first if all(_is_close(other, first) for other in others) else None


def _is_close(found: np.ndarray, expected: np.ndarray | None) -> bool:
    if expected is None or found.shape != expected.shape:
        return False
    if found.dtype.kind not in "fc" or not found.size:
        return bool(np.array_equal(found, expected))
    largest = np.abs(np.where(np.isfinite(expected), expected, 0)).max()
    return np.allclose(found, expected, rtol=0, atol=_TOLERANCE * float(largest), equal_nan=True)
