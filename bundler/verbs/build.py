"""`build`: a manifest becomes a bundle, the folder of one SavedModel."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from bundler import sources
from bundler.disk import outputs
from bundler.disk.publish import publishing, replaceable, sweep_beside
from bundler.errors import LockError
from bundler.manifest.clashes import DEFAULT_KEY
from bundler.progress import SILENT, Progress
from bundler.report import Check, Entries, Report, record
from bundler.report.sums import SUMS, write_sums
from bundler.verbs.given import AnyManifest, Given, given_by, manifest_of

__all__ = ["build", "bundled"]


@sources.fetching_damaged_again
def build(
    manifest: AnyManifest,
    *,
    output: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    force: bool = False,
    check: bool = True,
    verify: bool = False,
    cuda: bool = False,
    scheduler: str | None = None,
    locked: bool = False,
    offline: bool = False,
    refresh: bool = False,
    release_version: int | None = None,
    sums: bool = False,
    progress: Progress = SILENT,
) -> Report:
    """Build the bundle of a manifest, unless it is up to date. The output appears whole or not at all.

    Args:
        manifest: The path of a manifest, or a `Manifest`.
        output: The folder to write, in place of the manifest's.
        jobs: Models to convert at a time. More than one are converted in processes that are forked from this one.
        force: Build even if the bundle is up to date, and replace a folder that bundler did not write.
        check: Load the result with TensorFlow before it is published.
        verify: Compare the result with the source models in TensorFlow.js before it is published, as `verify` does.
        cuda: Let TensorFlow use GPUs for this check.
        scheduler: The address of a dask scheduler, `tcp://host:8786`, whose workers convert the models.
        locked: Refuse settings and files that are not those in the manifest's lock.
        offline: Fetch nothing: take sources from the cache.
        refresh: Ask for each source again, also if the cache has it.
        release_version: Write the folder `<output>/<release_version>`, in place of the manifest's `version`.
        sums: Write `assets.extra/SHA256SUMS`, the sha256 of every other file of the bundle.
        progress: Receives the steps and notes of the run.

    Returns:
        What the bundle holds. With `up_to_date`, nothing was written.

    Raises:
        BundlerError: With all faults in `.faults`.
    """
    fetching = {"locked": locked, "offline": offline, "refresh": refresh}
    given = given_by(manifest_of(manifest).released(release_version), jobs, scheduler, progress=progress, **fetching)
    place = given.manifest.output(None if output is None else Path(output))
    return bundled(given, place, force=force, check=check, verify=verify, cuda=cuda, sums=sums)


def bundled(
    given: Given,
    place: Path,
    *,
    force: bool = False,
    check: bool = True,
    verify: bool = False,
    cuda: bool = False,
    sums: bool = False,
) -> Report:
    """The same for what a verb is given, in a folder `place`. With `finish`, no bundle is up to date."""
    started = time.perf_counter()
    replaceable(place, force=force, inputs=given.own_files())
    sweep_beside(place)
    anew = force or given.finish is not None
    report = None if anew else _up_to_date(given, place, check=check, sums=sums)
    if report is None:
        before = record.recorded(place)
        report = _new(given, place, force=force, check=check, verify=verify, cuda=cuda, sums=sums)
        _note_moved_default(before and before.report, report, given.progress)
    elif verify:
        report = replace(report, checks=_verified(given, place, report, cuda=cuda))
    return replace(report, seconds=time.perf_counter() - started)


def _note_moved_default(before: Report | None, now: Report, progress: Progress) -> None:
    """A note if a model was alone in the bundle before, and lost the key that servers ask for by default."""
    if before is None or len(before.models) > 1 or DEFAULT_KEY not in before.signatures.names:
        return
    model, keys = before.models[0].name, now.signatures.names
    if model in keys and DEFAULT_KEY not in keys:
        progress.note(
            f"the signature of model {model!r} was {DEFAULT_KEY!r}, as it was alone, and is {model!r} now:"
            f' [[model.signature]] with key = "{DEFAULT_KEY}" keeps the key'
        )


def _up_to_date(given: Given, place: Path, *, check: bool, sums: bool) -> Report | None:
    if sums and not (place / SUMS).is_file():
        return None
    report = record.up_to_date(place, given.manifest, checked=check, jobs=given.jobs, reach=given.reach)
    return report if report and given.is_locked(report) else None


def _verified(given: Given, place: Path, report: Report, *, cuda: bool) -> Entries[Check]:
    """What was found out about a bundle that was there already."""
    from bundler.runtimes.tensorflow import Runtime
    from bundler.verbs.verify import compared

    with Runtime(cuda=cuda) as runtime:
        return Entries([compared(given, place, report, runtime)])


def _new(given: Given, place: Path, *, force: bool, check: bool, verify: bool, cuda: bool, sums: bool) -> Report:
    # The late imports of the verbs: a bundle that is up to date needs none of these modules, which take three quarters
    # of the time to start. If they are needed, TensorFlow's library loads beside them.
    from bundler.runtimes.tensorflow import Runtime

    with Runtime(cuda=cuda) as runtime:
        if check:
            runtime.start()
        from bundler.verbs.linked import linked
        from bundler.verbs.written import written

        with linked(given, runtime) as bundle, publishing(place, force=force, inputs=given.own_files()) as folder:
            checks = written(bundle, folder, runtime, check=check)
            report = bundle.report()
            if not given.is_locked(report):
                raise LockError("the files of a model changed while they were read", where=str(given.manifest.path))
            record.write(folder, given.manifest, report, bundle.files)
            if given.manifest.serving.warmup:
                from bundler.verbs.serving.warmup import warmed_up

                checks = Entries([*checks, warmed_up(given, folder, report, runtime)])
            if verify:
                from bundler.verbs.verify import compared

                checks = Entries([*checks, compared(given, folder, report, runtime)])
            if sums:
                write_sums(folder)
            state = outputs.state_of(folder, checked=check)
            given.progress.start("publish")
        given.progress.finish()
        outputs.remember(place, state)
    return replace(report, output=place, checks=checks, bytes=state.bytes)
