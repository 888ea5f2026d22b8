"""`build`: a manifest becomes a bundle, the folder of one SavedModel."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from bundler import sources
from bundler.disk import outputs
from bundler.disk.publish import publishing, replaceable, sweep_beside
from bundler.progress import SILENT, Progress
from bundler.report import Report, record
from bundler.verbs.given import AnyManifest, Given, manifest_of

__all__ = ["build", "bundled"]


@sources.fetching_damaged_again
def build(
    manifest: AnyManifest,
    *,
    output: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    force: bool = False,
    check: bool = True,
    cuda: bool = False,
    scheduler: str | None = None,
    progress: Progress = SILENT,
) -> Report:
    """Build the bundle of a manifest, unless it is up to date. The output appears whole or not at all.

    Args:
        manifest: The path of a manifest, or a `Manifest`.
        output: The folder to write, in place of the manifest's.
        jobs: Models to convert at a time. More than one are converted in processes that are forked from this one.
        force: Build even if the bundle is up to date, and replace a folder that bundler did not write.
        check: Load the result with TensorFlow before it is published.
        cuda: Let TensorFlow use GPUs for this check.
        scheduler: The address of a dask scheduler, `tcp://host:8786`, whose workers convert the models.
        progress: Receives the steps and notes of the run.

    Returns:
        What the bundle holds. With `up_to_date`, nothing was written.

    Raises:
        BundlerError: With all faults in `.faults`.
    """
    given = Given(manifest_of(manifest), jobs, scheduler, progress)
    place = given.manifest.output(None if output is None else Path(output))
    return bundled(given, place, force=force, check=check, cuda=cuda)


def bundled(given: Given, place: Path, *, force: bool = False, check: bool = True, cuda: bool = False) -> Report:
    """The same for what a verb is given, in a folder `place`. With `finish`, no bundle is up to date."""
    started = time.perf_counter()
    replaceable(place, force=force, inputs=given.own_files())
    sweep_beside(place)
    anew = force or given.finish is not None
    report = None if anew else record.up_to_date(place, given.manifest, checked=check, jobs=given.jobs)
    if report is None:
        report = _new(given, place, force=force, check=check, cuda=cuda)
    return replace(report, seconds=time.perf_counter() - started)


def _new(given: Given, place: Path, *, force: bool, check: bool, cuda: bool) -> Report:
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
            record.write(folder, given.manifest, report, bundle.files)
            state = outputs.state_of(folder, checked=check)
        outputs.remember(place, state)
    return replace(report, output=place, checks=checks, bytes=state.bytes)
