"""The story of a build, from top to bottom. Only here is it known in which order things happen."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from bundler import sources
from bundler.disk.digest import combined_digest
from bundler.disk.publish import publishing, publishing_file, replaceable, sweep_beside
from bundler.errors import ConversionError, ManifestError, within
from bundler.manifest import Manifest
from bundler.progress import SILENT, Progress
from bundler.report import Check, ModelReport, Report, SignatureReport, record
from bundler.threads import Crew

if TYPE_CHECKING:
    from bundler.convert.every import Digests
    from bundler.convert.one import Converted
    from bundler.ir.model import Model
    from bundler.outputs.savedmodel import MetaGraph
    from bundler.runtimes.tensorflow import Runtime

# What converts and writes is imported where it is needed: a bundle that is up to date needs none of it.

__all__ = ["Finish", "build", "check", "freeze", "metagraphs"]

Finish: TypeAlias = "Callable[[Sequence[Converted]], Sequence[Converted]]"
"""What a caller does to the converted models, in the manifest's order, that a manifest cannot say."""

_LARGE = 1 << 30
"""Bytes of weights in a file of graphs, beyond which they had better be elsewhere: protobuf's limit is the double."""


@sources.fetching_damaged_again
def build(
    manifest: Manifest,
    *,
    output: Path | None = None,
    jobs: int = 1,
    force: bool = False,
    check: bool = True,
    cuda: bool = False,
    scheduler: str | None = None,
    progress: Progress = SILENT,
    finish: Finish | None = None,
) -> Report:
    """Make the bundle that a manifest describes, unless it is there already, and tell what was made.

    `scheduler` is the address of a dask scheduler whose workers convert the models; by default processes here do.
    The output appears whole or not at all. Raises a BundlerError that tells all that is wrong.
    """
    started = time.perf_counter()
    place, inputs = manifest.output(output), _inputs(manifest)
    replaceable(place, force=force, inputs=inputs)
    sweep_beside(place)
    fresh = None if force or finish else record.fresh(place, manifest, checked=check, jobs=jobs)
    if fresh is not None:
        return replace(fresh, seconds=time.perf_counter() - started)

    from bundler.runtimes.tensorflow import Runtime

    with ExitStack() as stack:
        runtime = cache(lambda: stack.enter_context(Runtime(cuda=cuda)))
        if check:
            runtime()  # loads TensorFlow while the rest of us is loaded, and the models are converted

        from bundler.convert.every import digest_all

        models = _converted(manifest, jobs, progress, finish, scheduler)
        digests = digest_all(models, stack.enter_context(_beside(jobs)))
        linked = _link(manifest, models, runtime)
        with publishing(place, force=force, inputs=inputs) as folder:
            checks = _write(linked, folder, runtime, jobs, check, progress)
            checks += _batches(linked, models, folder, runtime) if check else []
            report = _report(manifest, models, digests, linked)
            files = {name: digest() for name, digest in digests.items()}
            record.write(folder, manifest, report, files, checked=check, jobs=jobs)
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    seconds = time.perf_counter() - started
    return replace(report, output=place, checks=tuple(checks), bytes=size, seconds=seconds)


@sources.fetching_damaged_again
def check(manifest: Manifest, *, jobs: int = 1, progress: Progress = SILENT) -> Report:
    """All that `build` does before it writes: is anything wrong with the manifest or its models?"""
    from bundler.convert.every import digest_all
    from bundler.runtimes.tensorflow import Runtime

    started = time.perf_counter()
    models = _converted(manifest, jobs, progress, None)
    with ExitStack() as stack:
        digests = digest_all(models, stack.enter_context(_beside(jobs)))
        linked = _link(manifest, models, cache(lambda: stack.enter_context(Runtime())))
        report = _report(manifest, models, digests, linked)
    return replace(report, seconds=time.perf_counter() - started)


@sources.fetching_damaged_again
def freeze(
    manifest: Manifest,
    output: Path,
    *,
    cuda: bool = False,
    progress: Progress = SILENT,
    finish: Finish | None = None,
) -> Report:
    """Write the one model of a manifest as a frozen graph: one file, which appears whole or not at all."""
    from bundler import verify
    from bundler.convert.every import digest_all
    from bundler.outputs import savedmodel
    from bundler.runtimes.tensorflow import Runtime

    started = time.perf_counter()
    with Runtime(cuda=cuda) as runtime:
        models = _converted(manifest, 1, progress, finish)
        with Crew(1) as crew:
            digests = digest_all(models, crew)
            linked = _link(manifest, models, lambda: runtime)
            model = linked[0].metagraph.model
            with publishing_file(output, inputs=_inputs(manifest, models)) as file:
                size = savedmodel.write_graph(model, file, progress=progress)
                checks = (verify.graph(model, linked[0].owners, runtime),)
            report = _report(manifest, models, digests, linked)
    return replace(report, output=output, checks=checks, bytes=size, seconds=time.perf_counter() - started)


@sources.fetching_damaged_again
def metagraphs(manifest: Manifest, *, cuda: bool = False, finish: Finish | None = None) -> list[MetaGraph]:
    """What `build` would write."""
    from bundler.convert.every import digest_all
    from bundler.runtimes.tensorflow import Runtime

    models = _converted(manifest, 1, SILENT, finish)
    with ExitStack() as stack:
        digests = digest_all(models, stack.enter_context(_beside(1)))
        linked = _link(manifest, models, cache(lambda: stack.enter_context(Runtime(cuda=cuda))))
        for digest in digests.values():
            digest()
    return [part.metagraph for part in linked]


# The bundle --------------------------------------------------------------------------------------


class _Linked(NamedTuple):
    """A MetaGraph, and the name of the model behind each of its signatures."""

    metagraph: MetaGraph
    owners: Mapping[str, str]

    def of(self, models: Collection[str]) -> dict[str, str]:
        """The signatures of these models, and the model of each."""
        return {key: name for key, name in self.owners.items() if name in models}


def _inputs(manifest: Manifest, models: Mapping[str, Converted] = {}) -> list[Path]:
    """The user's own files that a bundle is made from: the manifest, the sources, the files of converted models."""
    own = (sources.at_hand(spec.source, manifest.folder) for spec in manifest.models)
    read = (made.folder / name for made in models.values() for name in made.files)
    return [manifest.path, *filter(None, own), *read]


def _converted(
    manifest: Manifest, jobs: int, progress: Progress, finish: Finish | None, scheduler: str | None = None
) -> dict[str, Converted]:
    """Every model of the manifest, by name."""
    from bundler.convert.every import convert_all

    made = convert_all(manifest, jobs, progress, scheduler)
    return {spec.name: model for spec, model in zip(manifest.models, finish(made) if finish else made)}


def _beside(jobs: int) -> Crew:
    """Threads that work beside this one, which links meanwhile: with it they are as many as the jobs."""
    return Crew(max(1, jobs - 1))


def _link(manifest: Manifest, models: Mapping[str, Converted], runtime: Callable[[], Runtime]) -> list[_Linked]:
    """One MetaGraph of all models, or with `layout = "tags"` one of each."""
    from bundler.link import join
    from bundler.link.infer import infer
    from bundler.outputs.savedmodel import MetaGraph
    from bundler.outputs.variables import with_variables

    def inferred(name: str, model: Model) -> Model:
        with _inferring(manifest, name):
            return infer(model, runtime)

    if manifest.bundle.layout == "tags":
        parts = [(spec.tags or (), spec.name, {spec.name: models[spec.name].model}) for spec in manifest.models]
    else:
        parts = [(manifest.bundle.tags, "", {name: made.model for name, made in models.items()})]
    linked = [join({name: inferred(name, model) for name, model in part.items()}) for *_, part in parts]
    apart = _apart(manifest, linked)
    return [
        _Linked(
            MetaGraph(tags, *(with_variables(joined, scope) if apart else (joined, ()))),
            owners={key: name for name, model in part.items() for key in model.signatures},
        )
        for (tags, scope, part), joined in zip(parts, linked)
    ]


@contextmanager
def _inferring(manifest: Manifest, name: str) -> Iterator[None]:
    """What TensorFlow refuses in a model is wrong with the shapes that the manifest gives it, if it does."""
    index, spec = next((index, spec) for index, spec in enumerate(manifest.models) if spec.name == name)
    try:
        with within(f"model {name!r}"):
            yield
    except ConversionError as error:
        if not spec.shapes:
            raise
        place = f"{manifest.path}: model[{index}].shapes"
        raise ManifestError("the model cannot have these shapes", where=place, found=error.faults[0].what) from None


def _apart(manifest: Manifest, models: Sequence[Model]) -> bool:
    """Whether weights go beside the graphs: where the manifest leaves it open, large ones do."""
    large = sum(model.weight_bytes for model in models) > _LARGE
    return manifest.bundle.weights == "variables" or (manifest.bundle.weights == "auto" and large)


def _write(
    linked: Sequence[_Linked],
    folder: Path,
    runtime: Callable[[], Runtime],
    jobs: int,
    check: bool,
    progress: Progress,
) -> list[Check]:
    """Write the graphs, and the checkpoint of those that have variables; try both."""
    from bundler import verify
    from bundler.outputs import checkpoint, savedmodel

    metagraphs = [part.metagraph for part in linked]
    savedmodel.write(metagraphs, folder, jobs=jobs, progress=progress)
    # Before there is a checkpoint: to load the graphs later would take the memory of all variables at once.
    checks = [verify.load(folder, part.metagraph, part.owners, runtime()) for part in linked] if check else []
    variables = {variable.name: variable.weight for metagraph in metagraphs for variable in metagraph.variables}
    if variables:
        checkpoint.write(variables, folder, runtime(), jobs=jobs, progress=progress)
    restored = [metagraph for metagraph in metagraphs if metagraph.variables and check]
    return [*checks, *(verify.restore(folder, metagraph, runtime()) for metagraph in restored)]


def _batches(
    linked: Sequence[_Linked], models: Mapping[str, Converted], folder: Path, runtime: Callable[[], Runtime]
) -> list[Check]:
    """Try the models whose inputs take another number of rows than they were made for."""
    batched = [name for name, made in models.items() if made.batched]
    if not batched:
        return []
    from bundler.verify.batches import batches

    return [batches(folder, part.metagraph, owners, runtime()) for part in linked if (owners := part.of(batched))]


def _report(
    manifest: Manifest,
    models: Mapping[str, Converted],
    digests: Mapping[str, Callable[[], Digests]],
    linked: Sequence[_Linked],
) -> Report:
    return Report(
        output=None,
        name=manifest.bundle.name,
        signatures=tuple(
            SignatureReport.of(key, signature, part.owners[key])
            for part in linked
            for key, signature in part.metagraph.model.signatures.items()
        ),
        models=tuple(
            ModelReport(
                name=spec.name,
                source=spec.source,
                digest=f"sha256:{combined_digest(digests[spec.name]())}",
                nodes=sum(models[spec.name].ops.values()),
                weight_bytes=models[spec.name].weight_bytes,
                ops=dict(sorted(models[spec.name].ops.items())),
                notes=models[spec.name].model.notes,
            )
            for spec in manifest.models
        ),
    )
