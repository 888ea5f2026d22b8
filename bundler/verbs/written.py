"""A linked bundle becomes the files of a SavedModel, and TensorFlow checks them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bundler import checks
from bundler.errors import Fault, Place, VerificationError
from bundler.manifest import Manifest
from bundler.outputs import checkpoint, savedmodel
from bundler.progress import step
from bundler.report import Check, Entries
from bundler.runtimes.tensorflow import Runtime
from bundler.verbs.given import Given
from bundler.verbs.linked import Linked

__all__ = ["written"]


def written(bundle: Linked, folder: Path, runtime: Runtime, *, check: bool) -> Entries[Check]:
    """Write the graphs, and the checkpoint of those that have variables, into a folder. Returns what was checked.

    Raises ConversionError if the graphs are too large for one file, VerificationError if a check fails.
    """
    jobs, progress = bundle.given.jobs, bundle.given.progress
    savedmodel.write(bundle.metagraphs, folder, jobs=jobs, progress=progress)
    # Before the checkpoint exists: loading a graph beside it would take the memory of all variables at once.
    loaded = _load(bundle, folder, runtime) if check else []
    variables = {variable.key: variable.weight for graph in bundle.metagraphs for variable in graph.variables}
    objects = next((graph.objects.checkpoint for graph in bundle.metagraphs if graph.objects), None)
    if variables:
        checkpoint.write(variables, folder, runtime, objects=objects, jobs=jobs, progress=progress)
    elif objects is not None:
        checkpoint.write_empty(folder)
    return Entries([*loaded, *_run(bundle, folder, runtime)] if check else [])


def _load(bundle: Linked, folder: Path, runtime: Runtime) -> list[Check]:
    """Load each graph."""
    with _checking(bundle.given, "check"):
        return [checks.load(folder, *part, runtime) for part in bundle.parts]


def _run(bundle: Linked, folder: Path, runtime: Runtime) -> list[Check]:
    """Restore variables, run models with other numbers of rows than they were made for, and signatures with samples."""
    batched = {name for name, made in bundle.models.items() if made.batched}
    restored, tried = list[Check](), list[Check]()
    for metagraph, owners in bundle.parts:
        if metagraph.variables:
            with _checking(bundle.given, "check variables"):
                restored.append(checks.restore(folder, metagraph, runtime))
        own = {key: names[0] for key, names in owners.items() if key not in bundle.composed}
        if keys := {key: name for key, name in own.items() if name in batched}:
            with _checking(bundle.given, "check batches"):
                tried.append(checks.batches(folder, metagraph, keys, runtime))
    manifest = bundle.given.manifest
    if any(spec.sample for spec in manifest.composed):
        with _checking(bundle.given, "check steps"):
            from bundler.comparison.wires import wires  # late: few manifests have a sample

            tried.append(wires(folder, manifest, bundle.composed, runtime))
    return [*restored, *tried]


@contextmanager
def _checking(given: Given, what: str) -> Iterator[None]:
    """A step of the run, whose VerificationErrors have the lines of the models in the manifest."""
    with step(given.progress, what):
        try:
            yield
        except VerificationError as error:
            error.faults = tuple(replace(fault, place=_place(given.manifest, fault)) for fault in error.faults)
            raise


def _place(manifest: Manifest, fault: Fault) -> Place:
    """The place of the one model that the fault's words begin with; if there is none, the place that the fault has."""
    named = [i for i, spec in enumerate(manifest.models) if f"{fault.where}: ".startswith(f"model {spec.name!r}: ")]
    return manifest.place("model", named[0]) if named else fault.place
