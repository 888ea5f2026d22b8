"""Models become a SavedModel or a frozen graph without a manifest: for the predecessor's API and `bundler convert`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bundler import sources
from bundler.api.asked import AskedModel, as_manifest
from bundler.api.finish import finished
from bundler.ir.model import Model
from bundler.manifest import Compat
from bundler.progress import SILENT, Progress
from bundler.report import Report
from bundler.report.exported import Export
from bundler.runtimes.exporters import Form
from bundler.verbs.build import bundled
from bundler.verbs.export import export
from bundler.verbs.freeze import freeze, frozen
from bundler.verbs.given import Given

__all__ = ["exported", "frozen_graph", "read", "saved_model"]


@sources.fetching_damaged_again
def saved_model(
    models: Sequence[AskedModel],
    output: Path,
    *,
    compat: Compat = Compat.NONE,
    force: bool = False,
    cuda: bool = False,
    progress: Progress = SILENT,
) -> Report:
    """Write a SavedModel into the folder `output`, with a MetaGraph for each model. Raises BundlerError."""
    return bundled(_given(models, compat, progress), output, force=force, cuda=cuda)


@sources.fetching_damaged_again
def frozen_graph(
    model: AskedModel,
    output: Path,
    *,
    compat: Compat = Compat.NONE,
    cuda: bool = False,
    progress: Progress = SILENT,
) -> Report:
    """Write a frozen graph, a GraphDef that holds its weights, into the file `output`. Raises BundlerError."""
    return freeze(_given([model], compat, progress), output, cuda=cuda)


@sources.fetching_damaged_again
def exported(
    model: AskedModel,
    output: Path,
    form: Form,
    *,
    compat: Compat = Compat.NONE,
    progress: Progress = SILENT,
) -> Export:
    """Write the model's signatures into the file `output`, in another form. Raises BundlerError."""
    suited = Compat.TFLITE if form == "tflite" else compat
    with TemporaryDirectory() as folder:
        saved = saved_model([model], Path(folder) / "model", compat=suited, progress=progress)
        return export(saved.output or folder, format=form, output=output, progress=progress)


@sources.fetching_damaged_again
def read(model: AskedModel, *, compat: Compat = Compat.NONE, cuda: bool = False) -> Model:
    """The model whose graph `frozen_graph` would write. Raises BundlerError."""
    return frozen(_given([model], compat, SILENT), cuda=cuda)


def _given(models: Sequence[AskedModel], compat: Compat, progress: Progress) -> Given:
    return Given(as_manifest(models, compat), progress=progress, finish=partial(finished, models))
