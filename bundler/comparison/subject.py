"""What is compared: the bundle of a manifest, or a bundle alone."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NamedTuple

from bundler.bundle import Bundle, is_bundle
from bundler.bundle.places import refuse_irregular
from bundler.disk.reach import USUAL, Reach
from bundler.errors import BundlerError, VerificationError
from bundler.manifest import CheckSpec, Manifest
from bundler.report import Report, record
from bundler.report.entries import Entries

__all__ = ["Subject", "of_bundle", "of_manifest", "refuse_folder"]


class Subject(NamedTuple):
    """What is verified: a bundle, what its record says, and its manifest if that is known."""

    bundle: Bundle
    report: Report
    manifest: Manifest | None
    reach: Reach = USUAL

    @property
    def checks(self) -> tuple[CheckSpec, ...]:
        """The checks of the manifest."""
        return self.manifest.checks if self.manifest else ()

    @property
    def base(self) -> Path | None:
        """The folder in which relative sources start."""
        return self.manifest.folder if self.manifest else None


def of_bundle(folder: Path) -> Subject:
    """The bundle in a folder, without a manifest. Raises SourceError if it cannot be read."""
    known = record.recorded(folder)
    bundle = Bundle.open(folder)
    return Subject(bundle, known.report if known else Report(None, folder.name, Entries(), Entries()), None)


def of_manifest(manifest: Manifest, output: Path | None) -> Subject:
    """The bundle of a manifest, in a folder `output` if it is not where the manifest says.

    It is not built here: what is verified must be what is used. Raises BundlerError if there is none, VerificationError
    if it was built from other settings.
    """
    place, hint = manifest.output(output), f"bundler build {manifest.path}"
    if not is_bundle(place):
        raise BundlerError("the bundle is not built", where=str(place), hint=hint)
    known = record.recorded(place)
    if known is None:
        raise VerificationError("this version of bundler did not write this SavedModel", where=str(place), hint=hint)
    if known.manifest != manifest.digest:
        raise VerificationError("the bundle is not of this manifest, or of an older one", where=str(place), hint=hint)
    return Subject(Bundle.open(place), known.report, manifest)


def refuse_folder(folder: Path) -> None:
    """Raise BundlerError for a folder that holds no SavedModel. It may hold several, by version."""
    refuse_irregular(folder)
    inner = next((path for path in sorted(folder.iterdir(), reverse=True) if is_bundle(path)), None)
    hint = f"did you mean {inner}?" if inner else ""
    if (folder / "model.json").is_file():
        hint = f"it is a model: `bundler init {shlex.quote(str(folder))}` writes a manifest, which can be verified"
    raise BundlerError("this is neither a manifest nor a SavedModel", where=str(folder), hint=hint)
