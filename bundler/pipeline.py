"""The story of a build, from top to bottom. Only here is it known in which order things happen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from bundler import record, rewrites, savedmodel, sources, tfjs, verify
from bundler.artifact import Artifact
from bundler.errors import BundlerError, ManifestError, SourceError, within
from bundler.infer import infer
from bundler.link import link
from bundler.manifest import Manifest, ModelSpec
from bundler.model import Model
from bundler.progress import SILENT, Progress
from bundler.publish import publishing, replaceable
from bundler.report import Check, ModelReport, Report, SignatureReport
from bundler.runtime import Runtime
from bundler.savedmodel import MetaGraph
from bundler.select import select

__all__ = ["build", "check"]


@dataclass(frozen=True)
class _Converted:
    """A model that is ready to be linked, and what there is to say of it."""

    model: Model
    report: ModelReport


@dataclass(frozen=True)
class _Failed:
    """A model that is not, and why: a run reports every one of them."""

    error: BundlerError


def build(
    manifest: Manifest,
    *,
    output: Path | None = None,
    jobs: int = 1,
    force: bool = False,
    check: bool = True,
    progress: Progress = SILENT,
) -> Report:
    """Make the bundle that a manifest describes, and tell what was made.

    The output appears whole or not at all. Raises a BundlerError that tells all that is wrong.
    """
    started = time.perf_counter()
    place = manifest.output(output)
    replaceable(place, force=force)
    with ExitStack() as stack:
        runtime = cache(lambda: stack.enter_context(Runtime()))
        if check:
            runtime()  # loads TensorFlow while the models are converted
        models = _convert_all(manifest, jobs, progress)
        linked = _link(manifest, models, runtime)
        metagraphs = [part.metagraph for part in linked]
        with publishing(place, force=force) as folder:
            savedmodel.write(metagraphs, folder, progress=progress)
            record.write(folder, manifest.bundle.name, [made.report for made in models.values()])
            checks = [verify.load(folder, metagraph, runtime()) for metagraph in metagraphs] if check else []
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return _report(manifest, models, linked, started, output=place, checks=tuple(checks), bytes=size)


def check(manifest: Manifest, *, jobs: int = 1, progress: Progress = SILENT) -> Report:
    """All that `build` does before it writes: is anything wrong with the manifest or its models?"""
    started = time.perf_counter()
    models = _convert_all(manifest, jobs, progress)
    with ExitStack() as stack:
        linked = _link(manifest, models, cache(lambda: stack.enter_context(Runtime())))
    return _report(manifest, models, linked, started)


# Each model on its own ---------------------------------------------------------------------------


def _convert_all(manifest: Manifest, jobs: int, progress: Progress) -> dict[str, _Converted]:
    """Every model of the manifest, by name. Raises one error for all that is wrong with any of them."""
    convert = partial(_convert, manifest, progress)
    outcomes = _in_parallel(convert, range(len(manifest.models)), jobs)
    failed = [outcome.error for outcome in outcomes if isinstance(outcome, _Failed)]
    if failed:
        kind = type(min(failed, key=lambda error: error.exit_code))
        raise kind.of(fault for error in failed for fault in error.faults)
    made = [outcome for outcome in outcomes if isinstance(outcome, _Converted)]
    return {spec.name: outcome for spec, outcome in zip(manifest.models, made)}


def _in_parallel(
    convert: Callable[[int], _Converted | _Failed], indices: Sequence[int], jobs: int
) -> Iterable[_Converted | _Failed]:
    if min(jobs, len(indices)) == 1:
        return [convert(index) for index in indices]
    from joblib import Parallel, delayed

    outcomes: Iterable[_Converted | _Failed] = Parallel(n_jobs=jobs, prefer="threads")(map(delayed(convert), indices))
    return outcomes


def _convert(manifest: Manifest, progress: Progress, index: int) -> _Converted | _Failed:
    """One model, from its source to the graph that will be linked."""
    spec = manifest.models[index]
    try:
        with within(f"model {spec.name!r}"):
            artifact = sources.fetch(spec.source, manifest.folder, progress=progress)
            _check_digest(spec, artifact)
            model = tfjs.read(artifact)
        selection = select(model, manifest.signatures(spec))
        if selection.faults:
            place = f"{manifest.path}: model[{index}]"
            raise ManifestError.of(fault.under(place) for fault in selection.faults)
        with within(f"model {spec.name!r}"):
            portable = rewrites.run(selection.model, manifest.compat(spec), spec.allow_ops)
        return _Converted(portable, _model_report(spec, artifact, selection.model))
    except BundlerError as error:
        return _Failed(error)


def _check_digest(spec: ModelSpec, artifact: Artifact) -> None:
    if spec.digest is not None and spec.digest != artifact.digest:
        raise SourceError(
            "the files are not those that the manifest was written for",
            where=spec.source,
            found=artifact.digest,
            expected=spec.digest,
            hint="find out what changed them, then set the new digest",
        )


# The bundle --------------------------------------------------------------------------------------


class _Linked(NamedTuple):
    """A MetaGraph, and the name of the model behind each of its signatures."""

    metagraph: MetaGraph
    owners: Mapping[str, str]


def _link(manifest: Manifest, models: Mapping[str, _Converted], runtime: Callable[[], Runtime]) -> list[_Linked]:
    """One MetaGraph of all models, or with `layout = "tags"` one of each."""
    if manifest.bundle.layout == "tags":
        parts = [(spec.tags or (), {spec.name: models[spec.name].model}) for spec in manifest.models]
    else:
        parts = [(manifest.bundle.tags, {name: made.model for name, made in models.items()})]
    return [
        _Linked(
            MetaGraph(tags, infer(link(part), runtime)),
            owners={key: name for name, model in part.items() for key in model.signatures},
        )
        for tags, part in parts
    ]


def _model_report(spec: ModelSpec, artifact: Artifact, model: Model) -> ModelReport:
    ops = Counter(node.op for graph in model.graphs for node in graph.nodes)
    return ModelReport(
        name=spec.name,
        source=spec.source,
        digest=artifact.digest,
        nodes=ops.total(),
        weight_bytes=model.weight_bytes,
        ops=dict(sorted(ops.items())),
    )


def _report(
    manifest: Manifest,
    models: Mapping[str, _Converted],
    linked: Sequence[_Linked],
    started: float,
    *,
    output: Path | None = None,
    checks: tuple[Check, ...] = (),
    bytes: int = 0,
) -> Report:
    return Report(
        output=output,
        name=manifest.bundle.name,
        signatures=tuple(
            SignatureReport.of(key, signature, part.owners[key])
            for part in linked
            for key, signature in part.metagraph.model.signatures.items()
        ),
        models=tuple(made.report for made in models.values()),
        checks=checks,
        bytes=bytes,
        seconds=time.perf_counter() - started,
    )
