"""The samples of composed signatures: values for their inputs, from files that the manifest names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bundler.bundle.arguments import feeds
from bundler.errors import BundlerError, ManifestError
from bundler.ir.model import Signature
from bundler.manifest import Manifest
from bundler.runtimes.tensorflow import Runtime

if TYPE_CHECKING:
    from bundler.manifest.steps import ComposedSpec

__all__ = ["sampled"]


def sampled(manifest: Manifest, spec: ComposedSpec, signature: Signature, runtime: Runtime) -> dict[str, np.ndarray]:
    """The values of a composed signature's sample, by the names of its inputs. TensorFlow decodes images.

    Raises ManifestError if a file cannot be read, or does not fit its input.
    """
    try:
        return feeds(signature.inputs, spec.files(manifest.folder), runtime)
    except BundlerError as error:
        place = manifest.place("signature", manifest.composed.index(spec), "sample")
        raise ManifestError.of(replace(fault, place=place) for fault in error.faults) from error
