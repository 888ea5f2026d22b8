"""A SavedModel on disk as its callers see it: its endpoints, called in TensorFlow's C runtime.

bundle = Bundle.open(Path("dist/posenet"))
with Runtime() as runtime:
    bundle.endpoint("serving_default").call(runtime, {"input": image})["heatmaps"]

It takes SavedModels of any writer: it does not read bundler's record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bundler.bundle.places import folder_of, is_bundle
from bundler.errors import BundlerError, closest
from bundler.ir.model import Signature
from bundler.outputs.savedmodel import read_signatures
from bundler.runtimes.tensorflow import Runtime
from bundler.stored.metagraphs import read_interfaces

__all__ = ["Bundle", "Endpoint", "is_bundle"]

_DEFAULT_KEY = "serving_default"
"""The signature that is meant if none is named: tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY."""


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
        known = {self.signature.inputs[name].tensor.full: value for name, value in feeds.items()}
        outputs = {name: spec.tensor.full for name, spec in self.signature.outputs.items()}
        # A session refuses to fetch what it is fed, and a signature may return its input.
        fetches = [tensor for tensor in dict.fromkeys(outputs.values()) if tensor not in known]
        if fetches:
            known |= zip(fetches, runtime.run(self.folder, self.tags, known, fetches, seconds))
        return {name: known[tensor] for name, tensor in outputs.items()}

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
    def open(cls, path: Path) -> Bundle:
        """Read the signatures of the SavedModel in a folder. Raises SourceError if there is none."""
        folder = folder_of(path)
        endpoints = (
            Endpoint(folder, tuple(metagraph.meta_info_def.tags), key, signature)
            for metagraph in read_interfaces(folder)
            for key, signature in read_signatures(metagraph).items()
        )
        return cls(folder, tuple(endpoints))

    @property
    def keys(self) -> list[str]:
        """The keys of the endpoints, each once."""
        return list(dict.fromkeys(endpoint.key for endpoint in self.endpoints))

    def endpoint(self, key: str = "", tags: Sequence[str] = ()) -> Endpoint:
        """The endpoint of this key, in the MetaGraph with these tags if they are given.

        Without a key the only one, else `serving_default`. Raises BundlerError if there is none, or more than one
        MetaGraph has it.
        """
        tagged = [endpoint for endpoint in self.endpoints if not tags or set(tags) == set(endpoint.tags)]
        keys = list(dict.fromkeys(endpoint.key for endpoint in tagged))
        wanted = key or (keys[0] if len(keys) == 1 else _DEFAULT_KEY)
        found = [endpoint for endpoint in tagged if endpoint.key == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            raise self._ambiguous(found)
        raise BundlerError(
            f"there is no signature {wanted!r}" if key or not keys else "the signature must be named",
            where=str(self.folder),
            found=", ".join(keys) or "no signature",
            hint=closest(key, keys),
        )

    def _ambiguous(self, found: Sequence[Endpoint]) -> BundlerError:
        return BundlerError(
            f"several MetaGraphs have a signature {found[0].key!r}",
            where=str(self.folder),
            found=", ".join("/".join(endpoint.tags) for endpoint in found),
            hint="choose one by its tags",
        )
