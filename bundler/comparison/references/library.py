"""TensorFlow.js itself: fetched once by the user's npm, or taken from a folder of the user."""

from __future__ import annotations

import shutil
from pathlib import Path

from bundler.comparison import references
from bundler.disk.cache import Cache, default_folder
from bundler.disk.reach import USUAL, Reach
from bundler.errors import BundlerError
from bundler.progress import Progress
from bundler.runtimes.javascript import TensorFlowJs
from bundler.sources import npm

__all__ = ["SOURCE", "absent", "started"]

SOURCE = "npm:@tensorflow/tfjs@4.22.0/dist/tf.min.js"
"""The one file of the package that needs no other: its plain CPU backend, and readers of both kinds of models."""
_SHA256 = "300dfae273d20b4046f46a06d735688f03675a807561e9bcb5f664eb2f3d2831"
_HINTS = {
    "Node.js": "TensorFlow.js runs in Node.js 18 or later: install it",
    "npm": "it fetches TensorFlow.js, once: install it, or name a folder that has the package with --tfjs",
}


def absent() -> str:
    """The program without which TensorFlow.js cannot run, or be fetched; empty if it can. npm is needed once."""
    if not shutil.which("node"):
        return "Node.js"
    return "" if shutil.which("npm") or Cache(default_folder()).has(SOURCE) else "npm"


def started(modules: Path | None, base: Path, progress: Progress, reach: Reach = USUAL) -> TensorFlowJs:
    """TensorFlow.js, running; from `modules`, or fetched by npm, which runs in `base`.

    Raises BundlerError if Node.js or npm is needed and not installed, SourceError if npm cannot fetch the package.
    """
    if modules is None:
        missing = absent()
        if missing:
            raise BundlerError(f"{missing} is not installed", hint=_HINTS[missing])
        modules = npm.file_of(SOURCE, _SHA256, base, Cache(default_folder(), progress, reach), progress)
    # Signatures of one model stand together: no model is needed again later.
    return TensorFlowJs(modules, kept=1, timeout=references.SECONDS)
