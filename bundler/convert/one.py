"""One model on its own: from its source to the graph that will be linked.

Conversions run in parallel, perhaps in other processes: `Task`, `Converted` and `Failed` can be pickled, and weights
stay in their files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bundler import rewrites, sources, tfjs
from bundler.artifacts import artifact
from bundler.artifacts.artifact import Artifact
from bundler.convert.about import About, about
from bundler.convert.reshape import reshape
from bundler.convert.select import select
from bundler.disk.cache import Damaged
from bundler.disk.reach import USUAL, Reach
from bundler.disk.shards import keeping_open
from bundler.errors import BundlerError, Fault, LockError, ManifestError, Place, SourceError, unforeseen, within
from bundler.ir.model import Model
from bundler.link import read_marks, scoped
from bundler.manifest import Compat, ModelSpec, SignatureSpec
from bundler.progress import SILENT, Progress

if TYPE_CHECKING:
    from bundler.lockfile import Files

__all__ = ["Converted", "Failed", "Task", "check_digest", "convert", "entry_of", "failed", "find"]


@dataclass(frozen=True)
class Task:
    """A model to convert: its entry in the manifest, the entry's `index`, and the settings that apply to it.

    `alone`: it gets a MetaGraph of its own, and its nodes keep their names. `found` is its JSON file on this machine;
    without it the source is fetched, as far as `reach` allows. `locked` are the only files that the model may have.
    """

    spec: ModelSpec
    signatures: tuple[SignatureSpec, ...]
    compat: Compat
    base: Path
    index: int
    alone: bool = False
    found: Path | None = None
    reach: Reach = USUAL
    locked: Files | None = None


@dataclass(frozen=True)
class Converted:
    """A model under its final names, ready to be linked, and the files in `folder` that it was made from.

    `about` is what its file says of itself. `digests` are the sha256 of the files as another machine read them; None if
    this one did. `batched`: the manifest gives inputs another number of rows than the model does. `names_its_signature`
    is that of `tfjs`.
    """

    model: Model
    folder: Path
    files: tuple[str, ...]
    about: About
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
    """The model's JSON file on this machine, fetched if need be; or why there is none."""
    try:
        with within(f"model {task.spec.name!r}"):
            entry = entry_of(task, progress)
            if task.locked is not None:
                from bundler.convert.locked import refuse_unlocked  # late: few builds have a lock

                refuse_unlocked(entry, task.locked)
            return entry
    except Damaged:
        raise
    except Exception as error:
        return failed(error, task)


def entry_of(task: Task, progress: Progress) -> Path:
    """The model's JSON file on this machine. Raises SourceError."""
    return artifact.entry(sources.find(task.spec.source, task.base, progress=progress, reach=task.reach))


@keeping_open()
def convert(task: Task) -> Converted | Failed:
    """The model: read, reshaped, selected, rewritten, and under its scope; or why it cannot be converted."""
    try:
        return _converted(task)
    except Exception as error:
        return failed(error, task)


def _converted(task: Task) -> Converted:
    spec = task.spec
    files, model = _read(task)
    place = f"model {spec.name!r}: {files.entry}"
    reshaped = reshape(model, spec.shapes)
    with within(place):
        selection = select(reshaped.model, task.signatures)
    _refuse(task, [*reshaped.faults, *selection.faults])
    with within(place):
        portable = rewrites.run(selection.model, task.compat, spec.allow_ops)
    read_marks(portable)
    return Converted(
        portable if task.alone else scoped(portable, spec.name),
        files.folder,
        files.files,
        about(files),
        batched=reshaped.batched,
        names_its_signature=tfjs.names_its_signature(files),
    )


def _read(task: Task) -> tuple[Artifact, Model]:
    spec = task.spec
    with within(f"model {spec.name!r}"):
        files = sources.open_found(spec.source, task.found or entry_of(task, SILENT))
        check_digest(task, files)
        return files, tfjs.read(files, spec.format, Place(("model", task.index, "format")))


def _refuse(task: Task, faults: Sequence[Fault]) -> None:
    if faults:
        raise ManifestError.of(fault.under("model", task.index) for fault in faults)


def failed(error: Exception, task: Task) -> Failed:
    """The outcome of an exception: an error that explains itself, or a bug of ours, with the model's name."""
    if isinstance(error, BundlerError):
        known = error
        known.origin = error.trace
    else:
        known = unforeseen(error)
        known.faults = tuple(fault.inside(f"model {task.spec.name!r}") for fault in known.faults)
    place = Place(("model", task.index, *(["source"] if isinstance(known, (LockError, SourceError)) else [])))
    known.faults = tuple(fault if fault.place.keys else replace(fault, place=place) for fault in known.faults)
    return Failed(known)


def check_digest(task: Task, files: Artifact) -> None:
    """Raise SourceError if the manifest gives another digest."""
    expected = task.spec.digest
    if expected is not None and expected != files.digest:
        raise SourceError(
            "the files are not those that the manifest was written for",
            where=task.spec.source,
            found=files.digest,
            expected=expected,
            hint="find out what changed them, then set the new digest",
            place=Place(("model", task.index, "digest")),
        )
