"""What a signature is called with: the inputs of each check of the manifest, or random ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bundler.bundle import Endpoint
from bundler.bundle.files import read_arrays, write_arrays
from bundler.bundle.samples import sampled
from bundler.disk.publish import publishing_file
from bundler.errors import BundlerError, ManifestError, Place
from bundler.manifest import CheckSpec, InputSpec, Manifest
from bundler.report import Report
from bundler.runtimes.tensorflow import Runtime

if TYPE_CHECKING:
    from bundler.manifest.steps import ComposedSpec

__all__ = ["Case", "cases", "record"]

_DRAWN = "drawn images"
"""The origin of images that no one has given."""


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
    origin: str = "given"

    @property
    def is_given(self) -> bool:
        """Whether the user says what the inputs are, in a check or a sample."""
        return self.origin != _DRAWN and bool(self.values or self.drawn or self.file)


def cases(
    manifest: Manifest | None, report: Report, endpoint: Endpoint, model: str, runtime: Runtime
) -> Iterator[Case]:
    """The cases of a signature, which a model of this name computes: its checks, else one with random inputs.

    A composed signature has its sample, or image files if it decodes them, in place of random inputs. Without a
    manifest the report of the bundle says what it decodes. The runtime decodes images for inputs of numbers. Raises
    ManifestError if the file of a check or a sample cannot be read, or does not fit the signature.
    """
    checks = enumerate(manifest.checks) if manifest else ()
    own = [(at, each) for at, each in checks if each.signature == endpoint.key and each.model in (None, model)]
    usual = _usual(manifest, report, endpoint, runtime)
    for at, check in own:
        assert manifest is not None
        case = _case(manifest, check, endpoint, manifest.place("check", at, "file"))
        yield (
            case if case.values or case.drawn else replace(usual, outputs=case.outputs, rtol=case.rtol, file=case.file)
        )
    if not own:
        yield usual


def _usual(manifest: Manifest | None, report: Report, endpoint: Endpoint, runtime: Runtime) -> Case:
    """The case of a signature without a check."""
    spec = next((each for each in (manifest.composed if manifest else ()) if each.key == endpoint.key), None)
    if manifest is None:
        return _by_record(report, endpoint)
    if spec is None:
        return Case()
    if not spec.sample:
        return Case(_pictured(spec), origin=_DRAWN)
    values = sampled(manifest, spec, endpoint.signature, runtime)
    return Case(values, origin=f"the sample {', '.join(dict.fromkeys(spec.sample.values()))}")


def _by_record(report: Report, endpoint: Endpoint) -> Case:
    """The case of a signature of a bundle alone."""
    if not any(each.steps for each in report.signatures if each.key == endpoint.key):
        return Case()
    from bundler.comparison.pictures import pictures_by_record  # late: few bundles have composed signatures

    return Case(pictures_by_record(report, endpoint), origin=_DRAWN)


def _pictured(spec: ComposedSpec) -> Mapping[str, np.ndarray]:
    """Inputs of a composed signature that takes image files alone; empty for any other, whose inputs are numbers."""
    from bundler.comparison.pictures import pictures  # late: few bundles have composed signatures

    found = pictures(spec)
    return found if found.keys() == spec.inputs.keys() else {}


def record(case: Case, values: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> Path:
    """Write the inputs and outputs of a case into its file, which appears whole or not at all. Returns its path."""
    assert case.file is not None
    arrays = {f"inputs/{name}": value for name, value in values.items()}
    arrays |= {f"outputs/{name}": value for name, value in outputs.items()}
    with publishing_file(case.file) as path:
        write_arrays(path, arrays)
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
    """The arrays of a file. Raises ManifestError if it is no such file, or holds objects of Python."""
    try:
        return read_arrays(path)
    except BundlerError as error:
        raise ManifestError.of(replace(fault, where=str(path), place=place) for fault in error.faults) from error


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
