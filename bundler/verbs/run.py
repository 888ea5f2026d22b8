"""`run`: a signature of a SavedModel is called with values."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from bundler.bundle import Bundle, Endpoint
from bundler.bundle.arguments import feeds
from bundler.bundle.images import FROM_PIXELS, Pixels
from bundler.bundle.values import spelled_type
from bundler.errors import BundlerError, Fault
from bundler.ir.dtypes import DType
from bundler.ir.model import TensorSpec
from bundler.runtimes.failures import meaning
from bundler.runtimes.tensorflow import Runtime

if TYPE_CHECKING:
    import numpy as np

__all__ = ["called", "run"]


def run(
    bundle: str | os.PathLike[str],
    key: str = "",
    inputs: object = MappingProxyType({}),
    *,
    tags: Sequence[str] = (),
    resize: bool = False,
    pixels: tuple[float, float] = (0, 255),
    cuda: bool = False,
) -> dict[str, np.ndarray]:
    """Call a signature of any SavedModel in TensorFlow's C runtime, without importing `tensorflow`.

    Args:
        bundle: The folder of the SavedModel.
        key: The signature. Default: the only one, else `serving_default`.
        inputs: A value for each input, by name; for a sole input its value alone. A value is a number, a string, a
            list, an array, or the `Path` of a file: `.npy`, `.npz`, `.json`, or a JPEG, PNG, GIF or BMP image. A value
            that lacks only the batch dimension gets one.
        tags: The tags of the MetaGraph, if several have the signature.
        resize: Resize images to the size of their input, with the bilinear rule of `tf.image.resizeBilinear`.
        pixels: The numbers of black and white in a float input. The default is that of `tf.browser.fromPixels`.
        cuda: Let TensorFlow use GPUs.

    Returns:
        The outputs by name. Strings are object arrays of bytes; bfloat16 has the dtype of ml_dtypes.

    Raises:
        BundlerError: With all values that do not fit in `.faults`, or TensorFlow's words if it refuses the call.
    """
    with Runtime(cuda=cuda) as runtime:
        runtime.start()  # TensorFlow's library loads meanwhile
        endpoint = Bundle.open(Path(bundle)).endpoint(key, tags)
        return called(endpoint, inputs, runtime, Pixels(resize, *pixels))


def called(endpoint: Endpoint, inputs: object, runtime: Runtime, pixels: Pixels = FROM_PIXELS) -> dict[str, np.ndarray]:
    """The outputs of an endpoint for values as `run` takes them. Raises as `run` does."""
    signature = endpoint.signature
    faults = [
        *_without_values("input", signature.inputs.items()),
        *_without_values("output", signature.outputs.items()),
    ]
    if faults:
        raise BundlerError.of(faults)
    with meaning(BundlerError):
        return endpoint.call(runtime, feeds(signature.inputs, inputs, runtime, pixels))


def _without_values(side: str, specs: Iterable[tuple[str, TensorSpec]]) -> Iterable[Fault]:
    """The inputs or outputs whose dtype no array has, such as a resource."""
    for name, spec in specs:
        dtype = spec.dtype
        if dtype is None or not (dtype.is_number or dtype in (DType.string, DType.bfloat16)):
            yield Fault(f"{side} {name!r} has a dtype whose values cannot be shown", found=spelled_type(spec))
