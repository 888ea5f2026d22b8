"""A linked bundle becomes the files of a SavedModel, and TensorFlow checks them."""

from __future__ import annotations

from pathlib import Path

from bundler import checks
from bundler.outputs import checkpoint, savedmodel
from bundler.report import Check, Entries
from bundler.runtimes.tensorflow import Runtime
from bundler.verbs.linked import Linked

__all__ = ["written"]


def written(bundle: Linked, folder: Path, runtime: Runtime, *, check: bool) -> Entries[Check]:
    """Write the graphs, and the checkpoint of those that have variables, into a folder. Returns what was checked.

    Raises ConversionError if the graphs are too large for one file, VerificationError if a check fails.
    """
    jobs, progress = bundle.given.jobs, bundle.given.progress
    savedmodel.write(bundle.metagraphs, folder, jobs=jobs, progress=progress)
    # Before the checkpoint exists: loading a graph beside it would take the memory of all variables at once.
    loaded = [checks.load(folder, *part, runtime) for part in bundle.parts] if check else []
    variables = {variable.name: variable.weight for graph in bundle.metagraphs for variable in graph.variables}
    if variables:
        checkpoint.write(variables, folder, runtime, jobs=jobs, progress=progress)
    return Entries([*loaded, *_run(bundle, folder, runtime)] if check else [])


def _run(bundle: Linked, folder: Path, runtime: Runtime) -> list[Check]:
    """Restore variables, and run the models whose inputs take another number of rows than they were made for."""
    restored = [checks.restore(folder, metagraph, runtime) for metagraph in bundle.metagraphs if metagraph.variables]
    batched = {name for name, made in bundle.models.items() if made.batched}
    tried = []
    for metagraph, owners in bundle.parts:
        own = {key: names[0] for key, names in owners.items() if key not in bundle.composed and names[0] in batched}
        tried += [checks.batches(folder, metagraph, own, runtime)] if own else []
    return [*restored, *tried]
