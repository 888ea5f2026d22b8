"""`check`: all that a build does before it writes."""

from __future__ import annotations

import time
from dataclasses import replace

from bundler import sources
from bundler.progress import SILENT, Progress
from bundler.report import Report
from bundler.runtimes.tensorflow import Runtime
from bundler.verbs.given import AnyManifest, given_by
from bundler.verbs.linked import linked

__all__ = ["check"]


@sources.fetching_damaged_again
def check(
    manifest: AnyManifest,
    *,
    jobs: int = 1,
    locked: bool = False,
    offline: bool = False,
    refresh: bool = False,
    progress: Progress = SILENT,
) -> Report:
    """Fetch, convert and link the models of a manifest without writing anything. The arguments are those of `build`.

    Returns what the bundle would hold. Raises BundlerError, with all faults in `.faults`.
    """
    started = time.perf_counter()
    given = given_by(manifest, jobs, locked=locked, offline=offline, refresh=refresh, progress=progress)
    with Runtime() as runtime, linked(given, runtime) as bundle:
        report = bundle.report()
    return replace(report, seconds=time.perf_counter() - started)
