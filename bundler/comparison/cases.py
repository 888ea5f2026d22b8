"""What a signature is called with: the inputs of each check of the manifest, or random ones."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bundler.bundle import Endpoint
from bundler.disk.publish import publishing_file
from bundler.errors import ManifestError, Place
from bundler.manifest import CheckSpec, InputSpec, Manifest

__all__ = ["Case", "cases", "record"]

_LARGEST = 1 << 32
"""Bytes of the arrays of one file."""


@dataclass(frozen=True)
class Case:
    """Inputs for one call, or how to draw them, and what the outputs must be, if that is recorded.

    `rtol` is None for the default; `file` is the one of the check, if it has one.
    """

    values: Mapping[str, np.ndarray] = field(default_factory=dict)
    outputs: Mapping[str, np.ndarray] = field(default_factory=dict)
    drawn: Mapping[str, InputSpec] = field(default_factory=dict)
    rtol: float | None = None
    file: Path | None = None


def cases(manifest: Manifest | None, endpoint: Endpoint, model: str) -> Iterator[Case]:
    """The cases of a signature, which a model of this name computes: its checks, else one with random inputs.

    Raises ManifestError if a check's file cannot be read, or does not fit the signature.
    """
    checks = enumerate(manifest.checks) if manifest else ()
    own = [(at, each) for at, each in checks if each.signature == endpoint.key and each.model in (None, model)]
    for at, check in own:
        assert manifest is not None
        yield _case(manifest, check, endpoint, manifest.place("check", at, "file"))
    if not own:
        yield Case()


def record(case: Case, values: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> Path:
    """Write the inputs and outputs of a case into its file, which appears whole or not at all. Returns its path."""
    assert case.file is not None
    arrays = {f"inputs/{name}": _storable(value) for name, value in values.items()}
    arrays |= {f"outputs/{name}": _storable(value) for name, value in outputs.items()}
    with publishing_file(case.file) as path, path.open("wb") as file:
        np.savez(file, **arrays)
    return case.file


def _case(manifest: Manifest, check: CheckSpec, endpoint: Endpoint, place: Place) -> Case:
    if check.file is None:
        return Case(drawn=check.inputs, rtol=check.rtol)
    path = manifest.folder / check.file
    arrays = _read(path, place) if path.exists() else {}
    inputs, outputs = _side("inputs", arrays), _side("outputs", arrays)
    if len(inputs) + len(outputs) < len(arrays):
        raise ManifestError(
            "the file has arrays that are neither inputs nor outputs",
            where=str(path),
            found=_listed(arrays),
            expected="inputs/<name> and outputs/<name>",
            place=place,
        )
    if inputs:
        _refuse_unlike(inputs, endpoint, place)
    return Case(inputs, outputs, check.inputs, check.rtol, path)


def _side(side: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of inputs or outputs, by name."""
    return {name.partition("/")[2]: value for name, value in arrays.items() if name.startswith(f"{side}/")}


def _read(path: Path, place: Place) -> dict[str, np.ndarray]:
    """The arrays of a file. Raises ManifestError if it is no such file, or holds pickled objects or too much."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > _LARGEST:
            raise ManifestError("the arrays are too large", where=str(path), found=f"{size:,} bytes", place=place)
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ManifestError("is no .npz file of arrays", where=str(path), found=str(error), place=place) from error


def _refuse_unlike(inputs: Mapping[str, np.ndarray], endpoint: Endpoint, place: Place) -> None:
    specs = endpoint.signature.inputs
    lacking, strange = specs.keys() - inputs.keys(), inputs.keys() - specs.keys()
    if lacking or strange:
        raise ManifestError(
            f"the file has other inputs than signature {endpoint.key!r}",
            found=_listed(f"inputs/{name}" for name in inputs),
            expected=_listed(f"inputs/{name}" for name in specs),
            place=place,
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _storable(value: np.ndarray) -> np.ndarray:
    """Texts as NumPy's bytes of one length: object arrays would be pickled."""
    return value.astype(np.bytes_) if value.dtype == object else value
