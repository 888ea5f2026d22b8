"""`verify`: every signature of a bundle is called, and compared with what it must give."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bundler import sources
from bundler.bundle import Bundle, is_bundle
from bundler.comparison import Comparison, Outcome, Road, cases
from bundler.comparison.cases import record as write_case
from bundler.comparison.origins import owners
from bundler.comparison.references import Reference
from bundler.comparison.references.chosen import chosen
from bundler.comparison.references.golden import NONE_RECORDED
from bundler.comparison.subject import Subject, of_bundle, of_manifest, refuse_folder
from bundler.disk.reach import Reach
from bundler.errors import BundlerError
from bundler.manifest import Manifest
from bundler.progress import SILENT, Progress, step
from bundler.report import Check, Report
from bundler.report.entries import Entries
from bundler.report.verification import SignatureVerdict, Verification, Verified
from bundler.runtimes.tensorflow import Runtime
from bundler.verbs.given import AnyManifest, Given, manifest_of

__all__ = ["compared", "verify"]

_FIRST = "there was no record to compare with: its outputs are recorded now"


@sources.fetching_damaged_again
def verify(
    target: AnyManifest,
    *,
    output: str | os.PathLike[str] | None = None,
    against: str | os.PathLike[str] | None = None,
    tfjs: str | os.PathLike[str] | None = None,
    record: bool = False,
    python: bool = False,
    offline: bool = False,
    release_version: int | None = None,
    progress: Progress = SILENT,
) -> Verification:
    """Call every signature of a bundle in TensorFlow's C runtime, and compare its outputs with a reference's.

    Inputs are those of the manifest's checks, else random ones. A signature is `ok`, `wrong`, or `unchecked` if the
    comparison shows neither; nothing is built.

    Args:
        target: A manifest, whose bundle is verified, or its path; or the folder of a bundle.
        output: The folder of the manifest's bundle, if it is another than the manifest says.
        against: "tfjs", the source models in TensorFlow.js; "golden", the outputs in the files of the checks; or the
            folder of another bundle. By default "tfjs"; without Node.js "golden", if checks have files.
        tfjs: A folder `node_modules` with @tensorflow/tfjs. By default npm fetches the package once.
        record: Write the outputs of signatures that are not wrong into the files of their checks.
        python: Call the signatures by `tf.saved_model.load` too, which optimizes graphs in another way.
        offline: Fetch nothing: take sources, and TensorFlow.js, from the cache.
        release_version: The version folder of the manifest's bundle, in place of the manifest's `version`.
        progress: Receives the steps and notes of the run.

    Raises:
        BundlerError: If there is no bundle, or no reference. `Verification.raise_if_wrong` raises VerificationError.
    """
    started = time.perf_counter()
    subject = _subject(target, output, release_version)._replace(reach=Reach(offline))
    modules = None if tfjs is None else Path(tfjs)
    if record and not any(check.file for check in subject.checks):
        raise BundlerError("there is nothing to record: no [[check]] of a manifest has a `file`")
    with (
        Runtime() as runtime,
        chosen(subject, None if against is None else os.fspath(against), modules, progress) as reference,
    ):
        return _verified(subject, reference, runtime, record=record, python=python, progress=progress, started=started)


def _verified(
    subject: Subject,
    reference: Reference,
    runtime: Runtime,
    *,
    record: bool = False,
    python: bool = False,
    progress: Progress = SILENT,
    started: float | None = None,
) -> Verification:
    """The same for a bundle and a reference that are open."""
    started = time.perf_counter() if started is None else started
    with _roads(runtime, python) as roads:
        outcomes = list(_outcomes(subject, Comparison(roads, reference), runtime, progress, keep=record))
    kept = [record and _is_to_record(outcome, roads[0].name) for outcome in outcomes]
    recorded = tuple(write_case(each.case, each.values, each.outputs) for each, new in zip(outcomes, kept) if new)
    verdicts = Entries(_at_first(each.verdict) if new else each.verdict for each, new in zip(outcomes, kept))
    seconds = time.perf_counter() - started
    return Verification(subject.bundle.folder, reference.title, verdicts, recorded, seconds)


def compared(given: Given, folder: Path, report: Report, runtime: Runtime) -> Check:
    """Compare the bundle in a folder, of which this is the report, with the best reference there is.

    Signatures that could not be compared become notes. Raises VerificationError for those that are wrong.
    """
    subject = Subject(Bundle.open(folder), report, given.manifest, given.reach)
    with chosen(subject, None, None, given.progress) as reference:
        found = _verified(subject, reference, runtime, progress=given.progress)
    for each in found.signatures:
        if each.verdict == "unchecked":
            given.progress.note(f"signature {each.key!r} was not verified: {each.why}")
    found.raise_if_wrong()
    return Verified(found)


def _outcomes(
    subject: Subject, comparison: Comparison, runtime: Runtime, progress: Progress, keep: bool
) -> Iterator[Outcome]:
    """The outcomes of all signatures. With `keep`, those whose case has a file have their values."""
    known = owners(subject.bundle, subject.report)
    asked = [(endpoint, known.get((endpoint.tags, endpoint.key), "")) for endpoint in subject.bundle.endpoints]
    # All files of checks are read before the first signature is called: their faults cost no time.
    all_cases = [(*each, list(cases(subject.manifest, subject.report, *each, runtime))) for each in asked]
    turns = _turns(subject.report)
    all_cases.sort(key=lambda each: turns.get((each[1], each[0].key), (0, 0)))
    with step(progress, "verify", count=len(all_cases)):
        for endpoint, model, of_signature in all_cases:
            with step(progress, endpoint.key):
                for case in of_signature:
                    for outcome in comparison.outcomes(endpoint, model, case):
                        yield outcome if keep and case.file else outcome.without_values()
            progress.advance()


def _turns(report: Report) -> dict[tuple[str, str], tuple[int, int]]:
    """Positions of signatures, by model and key: those of one model stand together, so that it is loaded once."""
    order = {name: at for at, name in enumerate(report.models.names)}
    named = ((each.models[0] if each.models and not each.steps else "", each.key) for each in report.signatures)
    return {(model, key): (order.get(model, len(order)), at) for at, (model, key) in enumerate(named)}


def _is_to_record(outcome: Outcome, road: str) -> bool:
    """Whether the outputs belong in the file of their case: those of this road that are not wrong."""
    of_road = outcome.verdict.road == road and outcome.verdict.verdict != "wrong"
    return of_road and outcome.case.file is not None and bool(outcome.outputs)


def _at_first(verdict: SignatureVerdict) -> SignatureVerdict:
    """The verdict on outputs that are recorded: without the advice to record them."""
    return replace(verdict, why=_FIRST) if verdict.why == NONE_RECORDED else verdict


@contextmanager
def _roads(runtime: Runtime, python: bool) -> Iterator[tuple[Road, ...]]:
    session = Road("session", runtime)
    if not python:
        yield (session,)
        return
    with Runtime(engine="python") as by_python:
        by_python.start()  # it imports TensorFlow meanwhile
        yield session, Road("tf.saved_model.load", by_python, by_object=True)


def _subject(target: AnyManifest, output: str | os.PathLike[str] | None, release_version: int | None) -> Subject:
    if not isinstance(target, Manifest) and is_bundle(Path(target)):
        if release_version is not None:
            raise BundlerError("a release version is that of a manifest's bundle", where=os.fspath(target))
        return of_bundle(Path(target))
    if not isinstance(target, Manifest) and Path(target).is_dir():
        refuse_folder(Path(target))
    return of_manifest(manifest_of(target).released(release_version), None if output is None else Path(output))
