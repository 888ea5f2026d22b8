"""`init`: models become a first manifest, which builds as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from bundler import manifest as manifests
from bundler import sources
from bundler.disk.cache import Damaged
from bundler.errors import NOWHERE, BundlerError, SourceError, closest, together
from bundler.manifest import Manifest
from bundler.manifest.clashes import DEFAULT_KEY
from bundler.progress import SILENT, Progress
from bundler.report import Report, SignatureReport, TensorReport
from bundler.runtimes.tensorflow import Runtime
from bundler.scaffold import names, text
from bundler.scaffold.proposals import Named, proposals
from bundler.verbs.given import Given
from bundler.verbs.linked import Linked, linked

__all__ = ["FirstManifest", "init"]

_FILE = "bundle.toml"
"""The name of the manifest in faults, before it has a file."""


@dataclass(frozen=True)
class FirstManifest:
    """The `text` of a manifest, and the `report` of the bundle that it describes.

    `left_out` are the errors of models that cannot be converted; their tables are comments in the text. `inputs` are
    the files of the models, which the manifest must not replace.
    """

    text: str = field(repr=False)
    report: Report
    left_out: tuple[BundlerError, ...]
    inputs: tuple[Path, ...]


@sources.fetching_damaged_again
def init(
    *given: str | os.PathLike[str],
    file: str | os.PathLike[str] | None = None,
    name: str = "",
    only: Sequence[str] = (),
    jobs: int = 1,
    progress: Progress = SILENT,
) -> FirstManifest:
    """A manifest for all models of some sources, as text. The models are fetched, converted and linked.

    Args:
        given: Sources as in a manifest, relative to the current folder. A folder, an archive or a package may hold
            several models; a package without a version is the newest.
        file: The path at which the caller will write the manifest: sources are relative to its folder, which must be
            there. Default: a file in the current folder.
        name: The bundle's name. Default: that of the file, else of the sources.
        only: Names of models, or patterns such as `hand*`. Default: all.
        jobs: Models to convert at a time.
        progress: Receives the steps and notes of the run.

    Returns:
        The text, and the errors of models that are left out of it.

    Raises:
        BundlerError: If there is no model, or none that can be converted.
    """
    path = Path(file or _FILE)
    if not path.parent.is_dir():
        raise BundlerError("the manifest's folder is not there", where=str(path.parent), hint="make it first")
    wanted = _wanted([os.fspath(source) for source in given], path.parent, only, progress)
    derived = names.bundle_name(path.stem if file else "", [model.source for model in wanted], path.parent)
    work = _Work(name or derived, path, jobs, progress)
    found, errors = work.converted(wanted)
    written, found = work.written(wanted, found, errors)
    return FirstManifest(written, found.report, tuple(errors.values()), found.inputs)


# The models ---------------------------------------------------------------------------------------


class _Model(NamedTuple):
    name: str
    source: str


def _wanted(given: Sequence[str], base: Path, only: Sequence[str], progress: Progress) -> list[_Model]:
    """The models of all sources that have one of the names in `only`."""
    moved = [sources.moved(source, Path(), base) for source in given]
    listed = dict.fromkeys(each for source in moved for each in sources.listed(source, base, progress=progress))
    models = [_Model(*pair) for pair in zip(names.model_names(list(listed), base), listed)]
    for pattern in only:
        if not any(fnmatchcase(model.name, pattern) for model in models):
            known = [model.name for model in models]
            hint = closest(pattern, known) or f"the models are {', '.join(known[:20])}"
            raise SourceError("no model has such a name", found=repr(pattern), hint=hint)
    return [model for model in models if not only or any(fnmatchcase(model.name, pattern) for pattern in only)]


class _Found(NamedTuple):
    """Models that can be linked: the table of each, by name, without a signature; names that are proposed."""

    drafts: Mapping[str, text.Draft]
    proposals: Mapping[str, Mapping[str, str]]
    report: Report
    inputs: tuple[Path, ...]


def _found(bundle: Linked) -> _Found:
    report = bundle.report()
    signatures = {signature.model: signature for signature in report.signatures}
    return _Found(
        {model.name: _draft(model.name, model.source, model.digest, signatures[model.name]) for model in report.models},
        {name: _proposals(bundle, signature) for name, signature in signatures.items()},
        report,
        tuple(made.folder / name for made in bundle.models.values() for name in made.files),
    )


def _draft(name: str, source: str, digest: str, signature: SignatureReport) -> text.Draft:
    inputs, outputs = (
        [text.TensorLine(tensor.name, tensor.type) for tensor in _in_order(side)]
        for side in (signature.inputs, signature.outputs)
    )
    return text.Draft(name, source, digest, inputs, outputs)


def _in_order(side: Sequence[TensorReport]) -> list[TensorReport]:
    return sorted(side, key=lambda tensor: names.natural(tensor.name))


def _proposals(bundle: Linked, signature: SignatureReport) -> Mapping[str, str]:
    """New names for the inputs and outputs of a model, by its own."""
    graph, scope = bundle.models[signature.model].model.graph, f"{signature.model}/"
    inputs, outputs = (
        [Named(each.name, graph.source(each.tensor.rpartition(":")[0]).removeprefix(scope)) for each in _in_order(side)]
        for side in (signature.inputs, signature.outputs)
    )
    return proposals(inputs, outputs)


# The manifest -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Work:
    """The bundle's name, the path of its manifest, and the means to convert its models."""

    title: str
    path: Path
    jobs: int
    progress: Progress

    def converted(self, wanted: Sequence[_Model]) -> tuple[_Found, dict[str, BundlerError]]:
        """The models that can be linked together, and the errors of the others by name.

        Raises BundlerError if all fail, or if the fault is not that of a model.
        """
        try:
            return self._linked(self._plain(wanted)), {}
        except BundlerError as error:
            if not _blamed(error):
                raise
        errors = {model.name: fault for model in wanted if (fault := self._error(model))}
        if len(errors) == len(wanted):
            raise together(list(errors.values()))
        return self._linked(self._plain([model for model in wanted if model.name not in errors])), errors

    def _error(self, model: _Model) -> BundlerError | None:
        """Why a model cannot be linked alone; None if it can."""
        try:
            self._linked(self._plain([model]))
        except Damaged:
            raise
        except BundlerError as error:
            error.faults = tuple(replace(fault, place=NOWHERE) for fault in error.faults)
            return error
        return None

    def written(
        self, wanted: Sequence[_Model], found: _Found, errors: Mapping[str, BundlerError]
    ) -> tuple[str, _Found]:
        """The text of a manifest that can be linked, and what it describes."""
        renames = dict(found.proposals)
        while True:
            written = text.lines(self.title, self._tables(wanted, found, errors, renames))
            manifest = manifests.parsed(written, self.path)
            try:
                return written, self._linked(manifest)
            except BundlerError as error:
                blamed = {name for index in _blamed(error) if renames[name := manifest.models[index].name]}
                if not blamed:
                    raise
                renames |= {name: {} for name in blamed}

    def _tables(
        self,
        wanted: Sequence[_Model],
        found: _Found,
        errors: Mapping[str, BundlerError],
        renames: Mapping[str, Mapping[str, str]],
    ) -> Iterator[text.Draft | text.LeftOut]:
        alone = len(found.drafts) == 1
        for name, source in wanted:
            if name in errors:
                yield text.LeftOut(name, source, str(errors[name]))
            else:
                key = DEFAULT_KEY if alone else name if renames[name] else ""
                yield replace(found.drafts[name], key=key, rename=renames[name])

    def _plain(self, models: Sequence[_Model]) -> Manifest:
        """A manifest of these models, with their own signatures."""
        tables = [{"name": model.name, "source": model.source} for model in models]
        return manifests.of({"bundle": {"name": self.title}, "model": tables}, self.path)

    def _linked(self, manifest: Manifest) -> _Found:
        with Runtime() as runtime, linked(Given(manifest, self.jobs, progress=self.progress), runtime) as bundle:
            return _found(bundle)


def _blamed(error: BundlerError) -> set[int]:
    """The positions of the models that an error is about; empty if it is about something else, too."""
    places = [fault.place.keys for fault in error.faults]
    found = {keys[1] for keys in places if keys[:1] == ("model",) and len(keys) > 1 and isinstance(keys[1], int)}
    return found if all(keys[:1] == ("model",) for keys in places) else set()
