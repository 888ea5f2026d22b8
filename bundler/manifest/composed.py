"""A manifest with composed signatures.

Only such manifests need this module: its many small classes take as long to make as the rest of `bundler.manifest`.
"""

from __future__ import annotations

from pydantic import Field

from bundler.manifest import specs
from bundler.manifest.faults import Keys
from bundler.manifest.specs import Document, keys_of
from bundler.manifest.steps import STEPS, ComposedSpec

__all__ = ["KEYS", "ComposedDocument"]


class ComposedDocument(Document):
    """A bundle of TensorFlow.js models, with signatures that are made of steps."""

    composed: tuple[ComposedSpec, ...] = Field(
        default=(), alias="signature", description="Signatures that are made of steps and of calls of other signatures."
    )


_KINDS = {name: keys_of(step) for name, step in STEPS.items()}

KEYS: Keys = {
    **specs.KEYS,
    ("signature",): keys_of(ComposedSpec),
    **{("signature", "steps", name): keys for name, keys in _KINDS.items()},
    **{("signature", "steps", "map", "map", name): keys for name, keys in _KINDS.items()},
}
"""The keys that a table may have, by the names that lead to it. The kind of a step is one of these names."""
