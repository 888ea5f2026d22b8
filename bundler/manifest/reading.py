"""A manifest is read from its file, or made from a document of TOML's types."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import tomli
from pydantic import ValidationError

from bundler.errors import Fault, Key, ManifestError, Place, closest
from bundler.manifest.clashes import DEFAULT_KEY, clashes
from bundler.manifest.faults import shape_faults
from bundler.manifest.lines import lines
from bundler.manifest.specs import KEYS, BundleSpec, CheckSpec, Compat, Document, ModelSpec, SignatureSpec

__all__ = ["Manifest", "of", "parsed", "read", "read_each"]

_LARGEST = 1 << 24
"""Bytes of the largest manifest."""


@dataclass(frozen=True)
class Manifest:
    """A manifest without faults, the path of its file, and the file's text; None if it was not read from one."""

    path: Path
    bundle: BundleSpec
    models: tuple[ModelSpec, ...]
    text: str | None = field(default=None, repr=False)
    checks: tuple[CheckSpec, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder in which relative paths of the manifest start."""
        return self.path.parent

    @property
    def digest(self) -> str:
        """The sha256, in hex, of all that the bundle's bytes depend on: not of its output folder."""
        bundle = self.bundle.model_copy(update={"output": None, "version": None})
        parts = [bundle.model_dump_json(), *map(_dump, self.models)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

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
        return _place(keys, self.path, self.text)

    def located(self, fault: Fault) -> Fault:
        """The same fault; a place in the manifest has its file and line then."""
        return replace(fault, place=self.place(*fault.place.keys)) if fault.place.keys else fault

    def _default_key(self, model: ModelSpec) -> str:
        # A model alone in its MetaGraph has the key that servers and loaders try first. Two models cannot share it, and
        # the position in the manifest should not decide which of them has it.
        alone = len(self.models) == 1 or self.bundle.layout == "tags"
        return DEFAULT_KEY if alone else model.name


def _dump(model: ModelSpec) -> str:
    """A model in one line. A key that later versions brought is left out if it has its default value."""
    return model.model_dump_json(exclude=set() if model.shapes else {"shapes"})


def read(path: Path) -> Manifest:
    """The manifest in a TOML file. Raises ManifestError with all that is wrong in it."""
    return parsed(_read_text(path), path)


def parsed(text: str, path: Path) -> Manifest:
    """The manifest in the TOML of a file, which need not be there. Raises ManifestError as `read` does."""
    return of(_parse(text, path), path, text)


def of(document: Mapping[str, object], path: Path, text: str | None = None) -> Manifest:
    """The manifest in a document of TOML's types. Raises ManifestError as `read` does.

    Relative paths start in the folder of `path`, which need not be a file. `text` is the file's TOML if it is one:
    faults name the file and their lines in it.
    """
    faults = [*_shape_faults(document), *clashes(document)]
    if faults:
        raise ManifestError.of(replace(fault, place=_place(fault.place.keys, path, text)) for fault in faults)
    checked = Document.model_validate(document)
    return Manifest(path, checked.bundle, checked.models, text, checked.checks)


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
        what, place = f"writes the folder that {earlier.path} writes", outcome.place("bundle", "output")
        yield outcome if earlier is outcome else ManifestError(what, found=str(output), place=place)


def _read_text(path: Path) -> str:
    place = Place(file=str(path))
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError as error:
        near = closest(path.name, (file.name for file in path.parent.glob("*.toml")))
        raise ManifestError(error.strerror or str(error), hint=near, place=place) from None
    except OSError as error:
        raise ManifestError(error.strerror or str(error), place=place) from None
    if len(content) > _LARGEST:
        raise ManifestError("is too large for a manifest", expected=f"at most {_LARGEST:,} bytes", place=place)
    try:
        # Editors on Windows may begin a file with a byte order mark, which TOML does not know.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = replace(place, line=content[: error.start].count(b"\n") + 1)
        raise ManifestError("is not UTF-8 text", where=f"byte {error.start}", place=place) from None


def _parse(text: str, path: Path) -> dict[str, object]:
    place = Place(file=str(path))
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        place = replace(place, line=error.lineno)
        raise ManifestError(error.msg, where=f"column {error.colno}", place=place) from None
    except RecursionError:
        raise ManifestError("is nested too deeply", place=place) from None
    except ValueError:
        raise ManifestError("an integer has more digits than Python reads", place=place) from None


def _shape_faults(document: Mapping[str, object]) -> list[Fault]:
    try:
        Document.model_validate(document)
    except ValidationError as error:
        return shape_faults(error, KEYS)
    return []


def _place(keys: Sequence[Key], path: Path, text: str | None) -> Place:
    """A place in a manifest, with file and line if it has a text. A key that it lacks gets the line of its table."""
    if text is None:
        return Place(tuple(keys))
    known = lines(text)
    outer = (tuple(keys[:size]) for size in range(len(keys), 0, -1))
    return Place(tuple(keys), str(path), next((known[part] for part in outer if part in known), 0))
