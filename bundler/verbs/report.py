"""`report`: a page of HTML that shows what is in a bundle."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from bundler.bundle.places import folder_of
from bundler.differences import Side, difference
from bundler.disk.publish import publishing_file
from bundler.errors import BundlerError
from bundler.inspection.reports import report as inspected
from bundler.inspection.subject import Saved
from bundler.ir.weight import Weight
from bundler.page import Contents, render
from bundler.page.flow import Flow, flow
from bundler.progress import SILENT, Progress, step
from bundler.report import Report, record
from bundler.report.sums import digests_of
from bundler.report.verification import Verification
from bundler.stored.metagraphs import StoredGraph, read_graphs
from bundler.verbs.given import manifest_of

__all__ = ["report"]

Given: TypeAlias = "str | os.PathLike[str] | Verification | None"
"""A verification, or the path of a file that has it."""


def report(
    bundle: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str],
    against: str | os.PathLike[str] | None = None,
    verification: Given = None,
    verify: bool = False,
    force: bool = False,
    inputs: Iterable[Path] = (),
    progress: Progress = SILENT,
) -> Report:
    """Write one self-contained page about a bundle, or any SavedModel. Returns what it shows of the bundle.

    The file appears whole or not at all. The same bundle, and the same further files, give the same bytes.

    Args:
        bundle: The folder of a SavedModel, or the manifest of a bundle that is built.
        output: The file to write, outside of that folder.
        against: The folder of a previous bundle: the page begins with what has changed since.
        verification: A file with what `bundler verify --json` wrote about the bundle, or what `verify` returned: the
            page shows the errors.
        verify: Verify the bundle now, as `verify` does. The page shows the errors, also if an output is wrong.
        force: Replace an existing file.
        inputs: Further files that the page must not replace.
        progress: Receives the steps of the run.

    Raises:
        BundlerError: SourceError if a bundle or the verification cannot be read. With `verify`, VerificationError after
            the page is written, if an output is wrong.
    """
    folder, place = _folder(Path(bundle)).resolve(), Path(output)
    before = None if against is None else folder_of(Path(against)).resolve()
    files = [] if verification is None or isinstance(verification, Verification) else [Path(verification)]
    kept = [folder, before, Path(bundle), *inputs, *files]
    _refuse_inside(place, [folder] if before is None else [folder, before])
    with publishing_file(place, force=force, inputs=filter(None, kept)) as file:
        found = _verified(bundle, progress) if verify else verification
        with step(progress, "read"):
            contents = _contents(folder, before, found)
        with step(progress, "write"):
            file.write_bytes(render(contents).encode())
    if verify and contents.verification is not None:
        contents.verification.raise_if_wrong()
    return contents.report


def _folder(bundle: Path) -> Path:
    """The folder of a SavedModel, which may be that of a manifest. Raises BundlerError if that one is not built."""
    if bundle.suffix != ".toml" or not bundle.is_file():
        return folder_of(bundle)
    from bundler.comparison.subject import of_manifest  # late: few pages are of a manifest

    return of_manifest(manifest_of(bundle), None).bundle.folder


def _verified(bundle: str | os.PathLike[str], progress: Progress) -> Verification:
    from bundler.verbs.verify import verify  # late: few pages need it

    return verify(bundle, progress=progress)


def _refuse_inside(output: Path, folders: Iterable[Path]) -> None:
    """Raise BundlerError for a file that would become a part of a bundle, which is then another."""
    for folder in folders:
        if output.resolve().is_relative_to(folder):
            hint = "name a file beside the bundle"
            raise BundlerError("the page would lie in a bundle, and change it", where=str(output), hint=hint)


def _contents(folder: Path, before: Path | None, verified: Given) -> Contents:
    graphs = read_graphs(folder)
    saved = Saved(folder, folder.name, graphs)
    found = _named(folder, inspected(saved.source, [saved]))
    side = Side.of_bundle(folder)
    return Contents(
        report=found,
        weights={name: _size(weight) for name, weight in side.weights.items()},
        flows=_flows(found, graphs),
        files=digests_of(folder),
        difference=None if before is None else difference(_side(before), side),
        verification=_verification(verified, found),
    )


def _side(folder: Path) -> Side:
    """A bundle by the name of its folder alone: the page is the same wherever that lies."""
    return replace(Side.of_bundle(folder), source=folder.name)


def _named(folder: Path, found: Report) -> Report:
    """The report under the name that the manifest gives the bundle. The folder may be called by a version."""
    kept = record.recorded(folder)
    return found if kept is None else replace(found, name=kept.report.name)


def _verification(given: Given, found: Report) -> Verification | None:
    """The verification itself, or the one in a file."""
    if given is None or isinstance(given, Verification):
        return given
    from bundler.page.reading import read_verification  # late: pydantic

    return read_verification(Path(given), found)


def _size(weight: Weight) -> int:
    """Bytes of the values, of strings those of the text."""
    return weight.nbytes if weight.dtype.is_number else weight.stored_bytes


def _flows(found: Report, graphs: tuple[StoredGraph, ...]) -> dict[str, Flow]:
    """The steps of composed signatures. A bundle that has them has one graph."""
    return {each.key: flow(each, graphs[0].model.graph) for each in found.signatures if each.steps}
