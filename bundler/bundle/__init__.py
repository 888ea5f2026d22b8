"""A SavedModel on disk as its callers see it: its endpoints, called in TensorFlow's C runtime.

bundle = Bundle.open(Path("dist/posenet"))
with Runtime() as runtime:
    bundle.endpoint("serving_default").call(runtime, {"input": image})["heatmaps"]

It takes SavedModels of any writer: it does not read bundler's record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bundler.bundle.reading import read
from bundler.errors import BundlerError, closest
from bundler.ir.model import Signature
from bundler.outputs.savedmodel import FILE, read_signatures
from bundler.runtimes.tensorflow import Runtime

__all__ = ["Bundle", "Endpoint", "is_bundle"]


@dataclass(frozen=True)
class Endpoint:
    """A signature of a SavedModel in `folder`: its MetaGraph is the one with `tags`."""

    folder: Path
    tags: tuple[str, ...]
    key: str
    signature: Signature

    def call(
        self, runtime: Runtime, feeds: Mapping[str, np.ndarray], *, seconds: float | None = None
    ) -> dict[str, np.ndarray]:
        """The outputs by name, for a value of each input by name. Strings are object arrays of bytes.

        Raises Refused with TensorFlow's words, and Died if the process ends or takes longer than `seconds`.
        """
        inputs = {self.signature.inputs[name].tensor.full: value for name, value in feeds.items()}
        fetches = [spec.tensor.full for spec in self.signature.outputs.values()]
        values = runtime.run(self.folder, self.tags, inputs, fetches, seconds)
        return dict(zip(self.signature.outputs, values))

    def call_function(
        self, runtime: Runtime, feeds: Mapping[str, np.ndarray], *, seconds: float | None = None
    ) -> dict[str, np.ndarray]:
        """The same as a Python program does it: by `tf.saved_model.load`. The runtime's engine must be "python"."""
        return runtime.call(self.folder, self.tags, self.key, feeds, seconds)


@dataclass(frozen=True)
class Bundle:
    """The endpoints of a SavedModel, in the order of its MetaGraphs, then of their keys."""

    folder: Path
    endpoints: tuple[Endpoint, ...]

    @classmethod
    def open(cls, folder: Path) -> Bundle:
        """Read the signatures of the SavedModel in a folder. Raises SourceError if there is none."""
        endpoints = (
            Endpoint(folder, tuple(metagraph.meta_info_def.tags), key, signature)
            for metagraph in read(folder).meta_graphs
            for key, signature in read_signatures(metagraph).items()
        )
        return cls(folder, tuple(endpoints))

    def endpoint(self, key: str) -> Endpoint:
        """The endpoint of this key. Raises BundlerError if there is none, or more than one MetaGraph has it."""
        found = [endpoint for endpoint in self.endpoints if endpoint.key == key]
        if len(found) == 1:
            return found[0]
        if found:
            tags = ", ".join("/".join(endpoint.tags) for endpoint in found)
            raise BundlerError(f"several MetaGraphs have a signature {key!r}", where=str(self.folder), found=tags)
        keys = [endpoint.key for endpoint in self.endpoints]
        raise BundlerError(
            f"there is no signature {key!r}",
            where=str(self.folder),
            found=", ".join(keys) or "no signature",
            hint=closest(key, keys),
        )


def is_bundle(path: Path) -> bool:
    """Whether a folder holds a SavedModel."""
    try:
        return (path / FILE).is_file()
    except (OSError, ValueError):  # a source that is no path: too long, or with a NUL
        return False
