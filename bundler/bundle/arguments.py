"""What a caller gives for a signature becomes an array for each of its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bundler.bundle.files import read_array, read_bytes
from bundler.bundle.images import FROM_PIXELS, Pixels, image
from bundler.bundle.texts import File, parsed
from bundler.bundle.values import fitted, spelled_type
from bundler.errors import BundlerError, Fault, closest, together, within
from bundler.ir.dtypes import DType
from bundler.ir.model import TensorSpec
from bundler.runtimes.tensorflow import Runtime

__all__ = ["Text", "feeds"]

_ARRAYS = (".npy", ".npz", ".json")


class Text(NamedTuple):
    """A value as a person writes it into a command: see `texts.parsed`."""

    text: str


def feeds(
    inputs: Mapping[str, TensorSpec], given: object, runtime: Runtime, pixels: Pixels = FROM_PIXELS
) -> dict[str, np.ndarray]:
    """The arrays for the inputs of a signature, by name.

    `given` has a value for each, by name; or it is the value of a sole input. A value is an array, a list, a number, a
    string, a `Text`, or the path of a file. Raises BundlerError for all values that do not fit.
    """
    values = _named(inputs, given)
    _refuse_names(inputs, values)
    made = {name: _tried(name, value, inputs[name], runtime, pixels) for name, value in values.items()}
    errors = [error for error in made.values() if isinstance(error, BundlerError)]
    if errors:
        raise together(errors)
    return {name: value for name, value in made.items() if not isinstance(value, BundlerError)}


def _named(inputs: Mapping[str, TensorSpec], given: object) -> Mapping[str, object]:
    if isinstance(given, Mapping):
        return given
    if len(inputs) == 1:
        return dict.fromkeys(inputs, given)
    raise BundlerError(
        "a value without a name needs a signature with one input", found=_spelled(inputs), expected="NAME=VALUE"
    )


def _refuse_names(inputs: Mapping[str, TensorSpec], values: Mapping[str, object]) -> None:
    faults = [*_unknown(inputs, values), *_missing(inputs, values)]
    if faults:
        raise BundlerError.of(faults)


def _unknown(inputs: Mapping[str, TensorSpec], values: Mapping[str, object]) -> Iterator[Fault]:
    free = [name for name in inputs if name not in values]
    for name in values:
        if name not in inputs:
            known = _spelled(inputs) or "no input"
            yield Fault(f"there is no input {name!r}", expected=known, hint=closest(str(name), free))


def _missing(inputs: Mapping[str, TensorSpec], values: Mapping[str, object]) -> Iterator[Fault]:
    if len(values.keys() - inputs.keys()) == 0:  # otherwise a name is wrong, and that is the fault
        for name, spec in inputs.items():
            if name not in values:
                yield Fault(f"input {name!r} has no value", expected=spelled_type(spec))


def _spelled(inputs: Mapping[str, TensorSpec]) -> str:
    return ", ".join(f"{name}: {spelled_type(spec)}" for name, spec in inputs.items())


def _tried(name: str, value: object, spec: TensorSpec, runtime: Runtime, pixels: Pixels) -> np.ndarray | BundlerError:
    try:
        with within(f"input {name!r}"):
            return _fed(name, value, spec, runtime, pixels)
    except BundlerError as error:
        return error


def _fed(name: str, value: object, spec: TensorSpec, runtime: Runtime, pixels: Pixels) -> np.ndarray:
    if isinstance(value, Text):
        value = parsed(value.text, spec.dtype)
    if isinstance(value, Path):
        value = File(value)
    return _of_file(name, value, spec, runtime, pixels) if isinstance(value, File) else fitted(value, spec)


def _of_file(name: str, file: File, spec: TensorSpec, runtime: Runtime, pixels: Pixels) -> np.ndarray:
    with within(str(file.path)):
        if file.path.suffix.lower() in _ARRAYS:
            return fitted(read_array(file.path, file.member, name), spec)
        content = read_bytes(file.path)
        return fitted(content, spec) if spec.dtype == DType.string else image(content, spec, runtime, pixels)
