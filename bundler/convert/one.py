"""One model on its own: from its source to the graph that will be linked.

This is what runs in parallel, perhaps in other processes: what goes in and what comes out can be pickled, and
weights stay in their files.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bundler import rewrites, sources, tfjs
from bundler.artifacts import artifact
from bundler.artifacts.artifact import Artifact
from bundler.convert.reshape import reshape
from bundler.convert.select import select
from bundler.disk.shards import keeping_open
from bundler.errors import BundlerError, ManifestError, Place, SourceError, unforeseen, within
from bundler.ir.model import Model
from bundler.link import marked, scoped
from bundler.manifest import Compat, ModelSpec, SignatureSpec
from bundler.progress import SILENT, Progress

__all__ = ["Converted", "Failed", "Task", "convert", "find"]


@dataclass(frozen=True)
class Task:
    """A model to convert: its entry in the manifest, of that `index`, and what the manifest says elsewhere.

    `alone`: it gets a MetaGraph of its own, and its nodes keep their names. `found` is its JSON file on this machine;
    without it the source is fetched.
    """

    spec: ModelSpec
    signatures: tuple[SignatureSpec, ...]
    compat: Compat
    base: Path
    index: int
    alone: bool = False
    found: Path | None = None


@dataclass(frozen=True)
class Converted:
    """A model under its final names, ready to be linked; where its files are, and what there is to say of it.

    `digests` are the sha256 of the files as another machine read them, where one did; `batched` says that the manifest
    gives inputs another number of rows than the model does; `names_its_signature` is that of `tfjs`.
    """

    model: Model
    folder: Path
    files: tuple[str, ...]
    weight_bytes: int
    ops: Mapping[str, int]
    digests: Mapping[str, str] | None = None
    batched: bool = False
    names_its_signature: bool = False


@dataclass(frozen=True)
class Failed:
    """Conversion failed with this error; a run reports the errors of all models.

    `error.origin` is the traceback as text, which can go from process to process.
    """

    error: BundlerError


def find(task: Task, progress: Progress = SILENT) -> Path | Failed:
    """The model's JSON file, fetched where it is not at hand."""
    try:
        with within(f"model {task.spec.name!r}"):
            path = sources.find(task.spec.source, task.base, progress=progress)
            return artifact.entry(path)
    except Exception as error:
        return _failed(error, task, "source")


@keeping_open()
def convert(task: Task) -> Converted | Failed:
    """Read, select, rewrite, and put into its scope."""
    spec = task.spec
    try:
        with within(f"model {spec.name!r}"):
            files = sources.open_found(spec.source, task.found or sources.find(spec.source, task.base))
            _check_digest(task, files)
            model = tfjs.read(files, spec.format)
        reshaped = reshape(model, spec.shapes)
        with within(f"model {spec.name!r}: {files.entry}"):
            selection = select(reshaped.model, task.signatures)
        faults = [*reshaped.faults, *selection.faults]
        if faults:
            raise ManifestError.of(fault.under("model", task.index) for fault in faults)
        with within(f"model {spec.name!r}: {files.entry}"):
            portable = rewrites.run(selection.model, task.compat, spec.allow_ops)
        ops = Counter(node.op for graph in selection.model.graphs for node in graph.nodes)
        named = marked(portable if task.alone else scoped(portable, spec.name))
        size = selection.model.weight_bytes
        return Converted(
            named,
            files.folder,
            files.files,
            size,
            ops,
            batched=reshaped.batched,
            names_its_signature=tfjs.names_its_signature(files),
        )
    except Exception as error:
        return _failed(error, task)


def _failed(error: Exception, task: Task, *keys: str) -> Failed:
    """The outcome of an exception: an error that explains itself, or a bug of ours, with the model's name.

    `keys` lead to the fault in the model's table. The error keeps the traceback as text: an exception loses its own
    between processes.
    """
    if isinstance(error, BundlerError):
        error.origin = error.origin or "".join(traceback.format_exception(error))
        failed = error
    else:
        failed = unforeseen(error)
        failed.faults = tuple(fault.inside(f"model {task.spec.name!r}") for fault in failed.faults)
    place = Place(("model", task.index, *keys))
    failed.faults = tuple(fault if fault.place.keys else replace(fault, place=place) for fault in failed.faults)
    return Failed(failed)


def _check_digest(task: Task, files: Artifact) -> None:
    spec = task.spec
    if spec.digest is not None and spec.digest != files.digest:
        raise SourceError(
            "the files are not those that the manifest was written for",
            where=spec.source,
            found=files.digest,
            expected=spec.digest,
            hint="find out what changed them, then set the new digest",
            place=Place(("model", task.index, "digest")),
        )
