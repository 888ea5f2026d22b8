"""`init`: models become a first manifest, which builds as it is.

`wanted` lists the models of the sources, `trial` links them to see what they are, `drafting` makes their tables. The
manifest is linked again from its own text before it is returned.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bundler import sources
from bundler.disk.reach import Reach
from bundler.errors import BundlerError
from bundler.progress import SILENT, Progress
from bundler.report import Report
from bundler.scaffold.names import bundle_name
from bundler.verbs.init.drafting import manifest_of
from bundler.verbs.init.trial import Trial
from bundler.verbs.init.wanted import wanted

__all__ = ["FirstManifest", "init"]

_FILE = "bundle.toml"
"""The name of the manifest in faults, if it has no file."""


@dataclass(frozen=True)
class FirstManifest:
    """The `text` of a manifest, and the `report` of the bundle that it describes.

    `left_out` are the errors of models that cannot be converted; their tables are comments in the text. `inputs` are
    the files of the models, which the manifest must not replace.
    """

    text: str = field(repr=False)
    report: Report
    left_out: tuple[BundlerError, ...]
    inputs: tuple[Path, ...]


@sources.fetching_damaged_again
def init(
    *given: str | os.PathLike[str],
    file: str | os.PathLike[str] | None = None,
    name: str = "",
    only: Sequence[str] = (),
    jobs: int = 1,
    offline: bool = False,
    progress: Progress = SILENT,
) -> FirstManifest:
    """A manifest for all models of some sources, as text. The models are fetched, converted and linked.

    Args:
        given: Sources as in a manifest, relative to the current folder. A folder, an archive or a package may hold
            several models; a package without a version is the newest.
        file: The path at which the caller will write the manifest: sources are relative to its folder, which must be
            there. Default: a file in the current folder.
        name: The bundle's name. Default: that of the file, else of the sources.
        only: Names of models, or patterns such as `hand*`. Default: all.
        jobs: Models to convert at a time.
        offline: Fetch nothing: take sources from the cache. A package needs an exact version then.
        progress: Receives the steps and notes of the run.

    Returns:
        The text, and the errors of models that are left out of it.

    Raises:
        BundlerError: If there is no model, or none that can be converted.
    """
    path = Path(file or _FILE)
    if not path.parent.is_dir():
        raise BundlerError("the manifest's folder is not there", where=str(path.parent), hint="make it first")
    reach = Reach(offline)
    models = wanted([os.fspath(source) for source in given], path.parent, only, progress, reach)
    title = name or bundle_name(path.stem if file else "", [model.source for model in models], path.parent)
    trial = Trial(title, path, jobs, progress, reach)
    found, errors = trial.sorted_out(models)
    text, found = manifest_of(models, found, errors, trial)
    return FirstManifest(text, found.report, tuple(errors.values()), found.inputs)
