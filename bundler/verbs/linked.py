"""The models of a manifest, converted and linked: what every verb but `inspect` works on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bundler.convert.about import model_report
from bundler.convert.every import Digests, convert_all, digest_all
from bundler.convert.one import Converted
from bundler.disk.digest import combined_digest
from bundler.errors import BundlerError, ConversionError, ManifestError, together, within
from bundler.ir.model import Model
from bundler.link import join
from bundler.link.infer import infer
from bundler.manifest import Manifest, ModelSpec
from bundler.outputs.metagraphs import metagraph
from bundler.outputs.objects import obstacle
from bundler.outputs.savedmodel import MetaGraph
from bundler.outputs.variables import are_variables
from bundler.progress import step
from bundler.report import Entries, ModelReport, Report, SignatureReport, StepReport, TensorReport
from bundler.report.census import Census, count, count_by
from bundler.runtimes.tensorflow import Runtime
from bundler.threads import Crew
from bundler.verbs.given import Given

if TYPE_CHECKING:
    from bundler.compose import Composed

__all__ = ["Linked", "Part", "linked"]


class Part(NamedTuple):
    """A MetaGraph, and the names of the models behind each signature's key."""

    metagraph: MetaGraph
    owners: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Linked:
    """The MetaGraphs of a bundle, and what they were made from.

    `models` are the converted models by name, `composed` the composed signatures by key. `digests` wait for the sha256
    of each model's files, by the model's name.
    """

    given: Given
    models: Mapping[str, Converted]
    composed: Mapping[str, Composed]
    parts: tuple[Part, ...]
    digests: Mapping[str, Callable[[], Digests]]

    @property
    def metagraphs(self) -> tuple[MetaGraph, ...]:
        """The MetaGraph of each part."""
        return tuple(part.metagraph for part in self.parts)

    def inputs(self) -> list[Path]:
        """The user's own files, and those that the models were read from. An output must not replace them."""
        read = (made.folder / name for made in self.models.values() for name in made.files)
        return [*self.given.own_files(), *read]

    @cached_property
    def files(self) -> Mapping[str, Digests]:
        """The sha256, in hex, of each model's files, by the model's name. Waits for them.

        Raises Damaged if a file of the cache is not what was fetched, SourceError if a worker read another file.
        """
        with step(self.given.progress, "digest"):
            return {name: digest() for name, digest in self.digests.items()}

    def report(self) -> Report:
        """What the bundle holds. Waits and raises as `files` does."""
        signatures = (
            SignatureReport.of(key, signature, part.owners[key], self._steps(key))
            for part in self.parts
            for key, signature in part.metagraph.model.signatures.items()
        )
        counted = self._counted()
        models = (self._report(spec, counted.get(spec.name, Census())) for spec in self.given.manifest.models)
        return Report(None, self.given.manifest.bundle.name, Entries(signatures), Entries(models))

    def _steps(self, key: str) -> tuple[StepReport, ...]:
        lines = self.composed[key].lines if key in self.composed else ()
        return tuple(
            StepReport(line.label, tuple(TensorReport.of(name, spec) for name, spec in line.tensors)) for line in lines
        )

    def _report(self, spec: ModelSpec, census: Census) -> ModelReport:
        made, digest = self.models[spec.name], f"sha256:{combined_digest(self.files[spec.name])}"
        model = made.model.noting(self._without_objects(made.model))
        return model_report(spec.name, spec.source, digest, model, made.about, census)

    def _without_objects(self, model: Model) -> Iterator[str]:
        """A note if this model is why the bundle has no object graph."""
        alone = len(self.parts) > 1 or self.parts[0].metagraph.objects is not None
        if not alone and self.given.manifest.bundle.object_graph == "auto" and (why := obstacle(model)):
            yield f"the bundle has no object graph, and loads slowly in Python: {why}"

    def _counted(self) -> dict[str, Census]:
        """What the bundle holds of each model, by name."""
        if self.given.manifest.bundle.layout == "tags":
            return {name: count(part.metagraph.model) for name, part in zip(self.models, self.parts)}
        ((_, model, variables, _), _) = self.parts[0]
        # Models are pruned before they are linked: further nodes are those that save and restore variables.
        return count_by(model, lambda name: name.partition("/")[0], pruned=not variables)


@contextmanager
def linked(given: Given, runtime: Runtime) -> Iterator[Linked]:
    """Convert and link; in the block, threads compute the digests of the models' files.

    The runtime infers the dtypes and shapes of signatures that the models leave open. Raises BundlerError with all
    that is wrong with any of the models.
    """
    models = _converted(given)
    with Crew(max(1, given.jobs - 1)) as crew:  # this thread links meanwhile
        digests = digest_all(models, crew)
        with step(given.progress, "link"):
            complete = _inferred(given.manifest, models, runtime)
            composed = _composed(given.manifest, complete, runtime)
            parts = tuple(_parts(given.manifest, complete, composed))
        yield Linked(given, models, composed, parts, digests)


def _composed(manifest: Manifest, models: Mapping[str, Model], runtime: Runtime) -> Mapping[str, Composed]:
    if not manifest.composed:
        return {}
    from bundler.compose import compose  # late: few manifests need it

    return compose(manifest, models, runtime)


def _converted(given: Given) -> dict[str, Converted]:
    """The models by name, in the manifest's order."""
    made: Sequence[Converted] = convert_all(
        given.manifest, given.jobs, given.progress, given.scheduler, reach=given.reach, lock=given.lock
    )
    finished = given.finish(made) if given.finish else made
    return {spec.name: model for spec, model in zip(given.manifest.models, finished)}


def _inferred(manifest: Manifest, models: Mapping[str, Converted], runtime: Runtime) -> dict[str, Model]:
    """The models with every dtype and shape of their signatures. Raises one error for all that TensorFlow refuses."""
    complete: dict[str, Model] = {}
    errors: list[BundlerError] = []
    for index, (name, made) in enumerate(models.items()):
        with _kept(errors):
            complete[name] = _complete(manifest, index, made.model, runtime)
    if errors:
        raise together(errors)
    return complete


@contextmanager
def _kept(errors: list[BundlerError]) -> Iterator[None]:
    """Append a BundlerError of the block to `errors`, and go on after the block."""
    try:
        yield
    except BundlerError as error:
        errors.append(error)


def _complete(manifest: Manifest, index: int, model: Model, runtime: Runtime) -> Model:
    """The model at `index` of the manifest with every dtype and shape of its signatures."""
    spec = manifest.models[index]
    try:
        with within(f"model {spec.name!r}"):
            return infer(model, runtime)
    except ConversionError as error:
        if spec.shapes:
            place, found = manifest.place("model", index, "shapes"), error.faults[0].what
            raise ManifestError("the model cannot have these shapes", found=found, place=place) from error
        place = manifest.place("model", index)
        raise ConversionError.of(replace(fault, place=place) for fault in error.faults) from error


# The MetaGraphs -----------------------------------------------------------------------------------


class _Objects(NamedTuple):
    """The models of one MetaGraph, by name. `scope` goes before the names of its variables in the checkpoint."""

    tags: tuple[str, ...]
    scope: str
    models: Mapping[str, Model]


def _parts(manifest: Manifest, models: Mapping[str, Model], composed: Mapping[str, Composed]) -> Iterator[Part]:
    objects = _objects(manifest, {**models, **{each.scope: each.model for each in composed.values()}})
    joined = [join(each.models) for each in objects]
    in_checkpoint = are_variables(manifest.bundle.weights, joined)
    # Python's loader looks at the object graph of a single MetaGraph.
    wanted = manifest.bundle.object_graph == "auto" and len(objects) == 1
    for (tags, scope, members), model in zip(objects, joined):
        owners: dict[str, tuple[str, ...]] = {
            key: (name,) for name, member in members.items() for key in member.signatures
        }
        owners |= {key: composed[key].owners for key in owners if key in composed}
        several = len(models.keys() & members.keys()) > 1
        with_objects = wanted and (in_checkpoint or several) and not obstacle(model)
        yield Part(metagraph(tags, model, scope=scope, in_checkpoint=in_checkpoint, objects=with_objects), owners)


def _objects(manifest: Manifest, models: Mapping[str, Model]) -> list[_Objects]:
    """All models for one MetaGraph, or with `layout = "tags"` each for one of its own."""
    if manifest.bundle.layout == "tags":
        return [_Objects(spec.tags or (), spec.name, {spec.name: models[spec.name]}) for spec in manifest.models]
    return [_Objects(manifest.bundle.tags, "", models)]
