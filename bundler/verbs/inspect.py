"""`inspect`: what is in a TensorFlow.js model, a manifest, a SavedModel or a frozen graph."""

from __future__ import annotations

import os
from pathlib import Path

from bundler import sources
from bundler.report import Report

__all__ = ["inspect"]


@sources.fetching_damaged_again
def inspect(source: str | os.PathLike[str]) -> Report:
    """The signatures, ops and weights of a manifest (`.toml`), a SavedModel, a frozen graph, or models.

    Models are given by any source of a manifest; a folder, an archive or a package may hold several. Of a SavedModel by
    another program, each MetaGraph is a model of the report, named by its tags. A model that cannot be part of a bundle
    has a note that says why. Raises BundlerError.
    """
    text = os.fspath(source)
    if text.endswith(".toml"):
        from bundler.verbs.check import check

        return check(Path(text))
    from bundler.inspection.reports import report
    from bundler.inspection.subject import subjects

    return report(text, subjects(text))
