"""Models are linked, without being written, to see what they are and which of them cannot be converted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from bundler import manifest as manifests
from bundler.disk.cache import Damaged
from bundler.disk.reach import Reach
from bundler.errors import NOWHERE, BundlerError, together
from bundler.manifest import Manifest
from bundler.progress import Progress
from bundler.report import Report, SignatureReport, TensorReport
from bundler.runtimes.tensorflow import Runtime
from bundler.scaffold.names import natural
from bundler.scaffold.proposals import Named, proposals
from bundler.verbs.given import Given
from bundler.verbs.init.wanted import Wanted
from bundler.verbs.linked import Linked, linked

__all__ = ["Found", "Trial", "blamed", "sides"]


class Found(NamedTuple):
    """A bundle of models that can be linked, and the files that it was made from.

    `proposals` are new names for inputs and outputs, by their own, by the model's name.
    """

    report: Report
    proposals: Mapping[str, Mapping[str, str]]
    inputs: tuple[Path, ...]


@dataclass(frozen=True)
class Trial:
    """Links models for a bundle of the name `title`, whose manifest has the path `path`."""

    title: str
    path: Path
    jobs: int
    progress: Progress
    reach: Reach

    def sorted_out(self, models: Sequence[Wanted]) -> tuple[Found, Mapping[str, BundlerError]]:
        """What the models are that can be converted, and the errors of the others by name.

        Raises BundlerError if all fail, or if a fault is not that of a model.
        """
        try:
            return self.of(self._plain(models)), {}
        except BundlerError as error:
            if not blamed(error):
                raise
            if len(models) == 1:
                raise _about(models[0], error) from None
        errors = {model.name: fault for model in models if (fault := self._error(model))}
        if len(errors) == len(models):
            raise together(list(errors.values()))
        return self.of(self._plain([model for model in models if model.name not in errors])), errors

    def of(self, manifest: Manifest) -> Found:
        """What a manifest describes. Raises BundlerError if it cannot be linked."""
        given = Given(manifest, self.jobs, progress=self.progress, reach=self.reach)
        with Runtime() as runtime, linked(given, runtime) as bundle:
            report = bundle.report()
            files = (made.folder / name for made in bundle.models.values() for name in made.files)
            return Found(report, {each.models[0]: _proposals(bundle, each) for each in report.signatures}, tuple(files))

    def _plain(self, models: Sequence[Wanted]) -> Manifest:
        """A manifest of these models, with their own signatures."""
        tables = [{"name": model.name, "source": model.source} for model in models]
        return manifests.of({"bundle": {"name": self.title}, "model": tables}, self.path)

    def _error(self, model: Wanted) -> BundlerError | None:
        """Why a model cannot be linked alone; None if it can."""
        try:
            self.of(self._plain([model]))
        except Damaged:
            raise
        except BundlerError as error:
            return _about(model, error)
        return None


def blamed(error: BundlerError) -> set[int]:
    """The positions in the manifest of the models that an error is about; empty if it is about something else, too."""
    places = [fault.place.keys for fault in error.faults]
    found = {keys[1] for keys in places if keys[:1] == ("model",) and len(keys) > 1 and isinstance(keys[1], int)}
    return found if all(keys[:1] == ("model",) for keys in places) else set()


def sides(signature: SignatureReport) -> tuple[list[TensorReport], list[TensorReport]]:
    """The inputs and the outputs of a signature, `y_2` before `y_10`."""
    inputs, outputs = (
        sorted(side, key=lambda tensor: natural(tensor.name)) for side in (signature.inputs, signature.outputs)
    )
    return inputs, outputs


def _about(model: Wanted, error: BundlerError) -> BundlerError:
    """The error of a model, by its name, without places in a manifest that no user has.

    Its traceback is kept as text: the frames would keep the model in memory.
    """
    faults = (replace(fault, place=NOWHERE) for fault in error.faults)
    named = type(error).of(fault if fault.where else fault.inside(f"model {model.name!r}") for fault in faults)
    named.origin = error.trace
    return named


def _proposals(bundle: Linked, signature: SignatureReport) -> Mapping[str, str]:
    (model,) = signature.models
    graph, scope = bundle.models[model].model.graph, f"{model}/"

    def named(tensor: TensorReport) -> Named:
        node, _, _ = tensor.tensor.rpartition(":")
        return Named(tensor.name, graph.source(node).removeprefix(scope))

    inputs, outputs = sides(signature)
    return proposals(list(map(named, inputs)), list(map(named, outputs)))
