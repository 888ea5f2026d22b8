"""A manifest with composed signatures.

Only such manifests need this module: its many small classes take as long to make as the rest of `bundler.manifest`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import Field

from bundler.disk import files
from bundler.errors import Fault, Place, closest
from bundler.manifest import specs
from bundler.manifest.faults import Keys
from bundler.manifest.specs import Document, keys_of
from bundler.manifest.steps import STEPS, ComposedSpec

__all__ = ["KEYS", "ComposedDocument", "sample_faults"]

_SHOWN = 80
"""Characters of a name that an error shows."""


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


# Samples -----------------------------------------------------------------------------------------


def sample_faults(document: Mapping[str, object], folder: Path) -> Iterator[Fault]:
    """What is wrong with the samples of composed signatures. Values of a wrong type are left out."""
    found = document.get("signature")
    for at, table in enumerate(found if isinstance(found, list) else ()):
        inputs = table.get("inputs") if isinstance(table, dict) else None
        if isinstance(inputs, dict):
            yield from (
                fault.under("signature", at, "sample") for fault in _faults(table.get("sample"), inputs, folder)
            )


def _faults(sample: object, inputs: Mapping[str, object], folder: Path) -> Iterator[Fault]:
    if isinstance(sample, str) and sample:
        if len(inputs) > 1 and not sample.lower().endswith(".npz"):
            hint = f"write a table: sample = {{ {', '.join(f'{name} = …' for name in inputs)} }}"
            yield Fault("the signature has several inputs: its sample is an .npz file, or a table", hint=hint)
        yield from _file_faults(sample, folder / sample, Place())
    elif isinstance(sample, dict):
        yield from _name_faults(sample, inputs)
        for name, file in sample.items():
            if isinstance(file, str) and file:
                yield from _file_faults(file, folder / file, Place((name,)))


def _name_faults(sample: Mapping[str, object], inputs: Mapping[str, object]) -> Iterator[Fault]:
    lacking = [name for name in inputs if name not in sample]
    for name in sample:
        if name not in inputs:
            hint = closest(name, lacking) or f"the inputs are {', '.join(inputs)}"
            yield Fault("the signature has no such input", hint=hint, place=Place((name,)))
    if lacking and sample.keys() <= inputs.keys():
        yield Fault("an input has no file in the sample", found=", ".join(sample) or "none", expected=lacking[0])


def _file_faults(name: str, path: Path, place: Place) -> Iterator[Fault]:
    try:
        files.opened(path).close()
    except (OSError, ValueError) as error:
        yield Fault("the sample cannot be read", found=f"{name[:_SHOWN]}: {files.reason(error)}", place=place)
