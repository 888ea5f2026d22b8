"""A manifest is read from its file, or made from a document of TOML's types."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bundler.disk.digest import sha256
from bundler.errors import Fault, Key, ManifestError, Place, SourceError
from bundler.manifest.clashes import DEFAULT_KEY, clashes
from bundler.manifest.faults import shape_faults
from bundler.manifest.files import parse, read_text
from bundler.manifest.labels import Labelled, with_labels
from bundler.manifest.places import placed
from bundler.manifest.specs import KEYS, BundleSpec, CheckSpec, Compat, Document, ModelSpec, ServingSpec, SignatureSpec

if TYPE_CHECKING:
    from bundler.manifest.faults import Keys
    from bundler.manifest.steps import ComposedSpec

__all__ = ["Manifest", "of", "parsed", "read", "read_each"]


@dataclass(frozen=True)
class Manifest:
    """A manifest without faults, the path of its file, and the file's text; None if it was not read from one.

    `composed` are the signatures that are made of steps, `labels` the files whose lines are labels in them.
    """

    path: Path
    bundle: BundleSpec
    models: tuple[ModelSpec, ...]
    text: str | None = field(default=None, repr=False)
    checks: tuple[CheckSpec, ...] = ()
    serving: ServingSpec = field(default_factory=ServingSpec)
    composed: tuple[ComposedSpec, ...] = ()
    labels: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder in which relative paths of the manifest start."""
        return self.path.parent

    @property
    def files(self) -> tuple[Path, ...]:
        """The files beside the models that the bundle depends on: labels, samples, and with a warm-up the checks'."""
        samples = [file for signature in self.composed for file in signature.files(self.folder).values()]
        checks = [self.folder / each.file for each in self.checks if each.file and self.serving.warmup]
        return tuple(dict.fromkeys([*self.labels, *samples, *checks]))

    @property
    def digest(self) -> str:
        """The sha256, in hex, of all that the bundle's bytes depend on: not of its output folder."""
        bundle = self.bundle.model_copy(update={"output": None, "version": None})
        parts = [bundle.model_dump_json(), *map(_dump, self.models), *self._warmup()]
        parts += [f"{_dump_composed(signature)}{self._sampled(signature)}" for signature in self.composed]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def settings(self) -> Mapping[str, Any]:
        """The same as tables of TOML's types, without what has its default value."""
        bundle = self.bundle.model_copy(update={"output": None, "version": None})
        settings: dict[str, Any] = {"bundle": _tables(bundle), "model": [_tables(model) for model in self.models]}
        if self.composed:
            settings["signature"] = [self._composed_table(signature) for signature in self.composed]
        if self.serving.warmup:
            checks = [check.model_copy(update={"rtol": None}) for check in self.checks]
            settings["check"] = [{**_tables(check), "found_inputs": self._inputs(check)} for check in checks]
            settings["serving"] = _tables(self.serving)
        return settings

    def _warmup(self) -> Iterator[str]:
        """What the requests for a server's warm-up depend on: the inputs of the checks, in their files too."""
        for check in self.checks if self.serving.warmup else ():
            yield f"{check.model_dump_json(exclude={'rtol'})} {self._inputs(check)}"
        if self.serving.warmup:
            yield self.serving.model_dump_json()

    def _inputs(self, check: CheckSpec) -> str:
        """The digest of the inputs in a check's file; empty if it has no file."""
        return "" if check.file is None else _digest_of_inputs(self.folder / check.file)

    def _composed_table(self, signature: ComposedSpec) -> dict[str, Any]:
        """The table of a composed signature, with the digests of its sample's files."""
        return _tables(signature) | ({"found_sample": self._sampled(signature)} if signature.sample else {})

    def _sampled(self, signature: ComposedSpec) -> str:
        """The digests of the files of a signature's sample; empty if it has none."""
        return " ".join(map(_digest_of, dict.fromkeys(signature.files(self.folder).values())))

    def released(self, version: int | None) -> Manifest:
        """The same for another version folder; None leaves the manifest's own."""
        return self if version is None else replace(self, bundle=self.bundle.model_copy(update={"version": version}))

    def output(self, override: Path | None = None) -> Path:
        """The folder to write: `override`, else the one that the manifest names; then the version."""
        named = self.folder / self.bundle.output if self.bundle.output else Path("dist", self.bundle.name)
        chosen = named if override is None else override
        return chosen / str(self.bundle.version) if self.bundle.version else chosen

    def compat(self, model: ModelSpec) -> Compat:
        """The model's own choice, else the bundle's."""
        return model.compat or self.bundle.compat

    def signatures(self, model: ModelSpec) -> tuple[SignatureSpec, ...]:
        """The signatures that the manifest gives the model, else one that stands for the model's own."""
        return model.signatures or (SignatureSpec(key=self._default_key(model)),)

    def place(self, *keys: Key) -> Place:
        """A place in the manifest, such as `"model", 0, "source"`, with file and line if it was read from a file."""
        return placed(keys, self.path, self.text)

    def located(self, fault: Fault) -> Fault:
        """The same fault; a place in the manifest has its file and line then."""
        return replace(fault, place=self.place(*fault.place.keys)) if fault.place.keys else fault

    def _default_key(self, model: ModelSpec) -> str:
        # A model alone in its MetaGraph has the key that servers and loaders try first. Two models cannot share it, and
        # the position in the manifest should not decide which of them has it.
        alone = len(self.models) == 1 or self.bundle.layout == "tags"
        return DEFAULT_KEY if alone else model.name


def _tables(spec: BundleSpec | CheckSpec | ComposedSpec | ModelSpec | ServingSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _digest_of(file: Path) -> str:
    """The sha256 of a file, in hex; a text that no file has as digest if it cannot be read."""
    try:
        return sha256(file)
    except SourceError:
        return "unread"  # a build reports what is wrong


def _digest_of_inputs(file: Path) -> str:
    """A text that differs if the arrays `inputs/…` of a file do; "" if there are none."""
    try:
        with zipfile.ZipFile(file) as archive:
            found = [(entry.filename, entry.CRC, entry.file_size) for entry in archive.infolist()]
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return ""  # a build reports what is wrong
    return str(sorted(entry for entry in found if entry[0].startswith("inputs/")))


def _dump(model: ModelSpec) -> str:
    """A model in one line. A key that later versions brought is left out if it has its default value."""
    return model.model_dump_json(exclude=set() if model.shapes else {"shapes"})


def _dump_composed(signature: ComposedSpec) -> str:
    """The same for a composed signature."""
    return signature.model_dump_json(exclude=set() if signature.sample else {"sample"})


def read(path: Path) -> Manifest:
    """The manifest in a TOML file. Raises ManifestError with all that is wrong in it."""
    return parsed(read_text(path), path)


def parsed(text: str, path: Path) -> Manifest:
    """The manifest in the TOML of a file, which need not be there. Raises ManifestError as `read` does."""
    return of(parse(text, path), path, text)


def of(document: Mapping[str, object], path: Path, text: str | None = None) -> Manifest:
    """The manifest in a document of TOML's types. Raises ManifestError as `read` does.

    Relative paths start in the folder of `path`, which need not be a file. `text` is the file's TOML if it is one:
    faults name the file and their lines in it.
    """
    labelled = with_labels(document, path.parent) if "signature" in document else Labelled(document)
    kind, keys = _kind(document)
    faults = [*_shape_faults(labelled.document, kind, keys), *labelled.faults, *clashes(document)]
    faults += _sample_faults(document, path.parent)
    if faults:
        located = (replace(fault, place=placed(fault.place.keys, path, text)) for fault in faults)
        raise ManifestError.of(sorted(located, key=lambda fault: fault.place.line))
    checked = kind.model_validate(labelled.document)
    steps = getattr(checked, "composed", ())
    return Manifest(path, checked.bundle, checked.models, text, checked.checks, checked.serving, steps, labelled.files)


def _kind(document: Mapping[str, object]) -> tuple[type[Document], Keys]:
    """The type of a document, and the keys of its tables."""
    if "signature" not in document:
        return Document, KEYS
    from bundler.manifest import composed  # late: see there

    return composed.ComposedDocument, composed.KEYS


def _sample_faults(document: Mapping[str, object], folder: Path) -> Iterable[Fault]:
    if "signature" not in document:
        return ()
    from bundler.manifest import composed  # late: see there

    return composed.sample_faults(document, folder)


def read_each(paths: Iterable[Path]) -> list[Manifest | ManifestError]:
    """The manifest of each file, or the error that `read` raises. Of two with one output, the second is an error."""
    return list(_with_their_own_outputs(map(_attempt, paths)))


def _attempt(path: Path) -> Manifest | ManifestError:
    try:
        return read(path)
    except ManifestError as error:
        return error


def _with_their_own_outputs(outcomes: Iterable[Manifest | ManifestError]) -> Iterator[Manifest | ManifestError]:
    first: dict[Path, Manifest] = {}
    for outcome in outcomes:
        if isinstance(outcome, ManifestError):
            yield outcome
            continue
        output = outcome.output()
        earlier = first.setdefault(output.resolve(), outcome)
        what, where = f"writes the folder that {earlier.path} writes", outcome.place("bundle", "output")
        yield outcome if earlier is outcome else ManifestError(what, found=str(output), place=where)


def _shape_faults(document: Mapping[str, object], kind: type[Document], keys: Keys) -> list[Fault]:
    try:
        kind.model_validate(document)
    except ValidationError as error:
        return shape_faults(error, keys)
    return []
