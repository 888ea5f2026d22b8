"""A manifest as text, laid out as a person would write it.

It is written as plain text: its values are strings, and the rest is layout and comments, which no library of TOML lays
out. The one who asks for it parses it again, so that a mistake here cannot leave the program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bundler.manifest.clashes import DEFAULT_KEY
from bundler.report import TensorReport

__all__ = ["Draft", "LeftOut", "lines"]

_HEAD = """\
#:schema ./bundler.schema.json
# Editors check this file with that schema: `bundler schema > bundler.schema.json` writes it.
"""
_PROPOSED = "# Names to the right of `rename` are proposals: the models' own say little.\n"
_DEFAULT = "what servers run for callers who name no signature"
_LISTED = 20
"""Inputs or outputs of a model that comments list."""
_REASONS = 5
"""Lines of an error that a comment shows."""
_WIDTH = 40
"""Characters of the longest name that decides how far types are indented."""
_SHOWN = 200
"""Characters of an untrusted text that a comment shows."""


@dataclass(frozen=True)
class Draft:
    """A model's table, and with a `key` that of its signature. `rename` has new names by the model's own."""

    name: str
    source: str
    digest: str
    inputs: Sequence[TensorReport] = ()
    outputs: Sequence[TensorReport] = ()
    key: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LeftOut:
    """A model that cannot be part of the bundle: its table becomes a comment, with the reason."""

    name: str
    source: str
    why: str


def lines(bundle: str, models: Iterable[Draft | LeftOut]) -> str:
    """The text of a manifest, which ends with a line feed."""
    models = list(models)
    head = _HEAD + (_PROPOSED if any(isinstance(model, Draft) and model.rename for model in models) else "")
    tables = (_table(model) if isinstance(model, Draft) else _comment(model) for model in models)
    return "\n".join([head, f"[bundle]\nname = {_text(bundle)}\n", *("\n".join([*table, ""]) for table in tables)])


def _table(model: Draft) -> Iterator[str]:
    yield from _model(model.name, model.source)
    yield f"digest = {_text(model.digest)}"
    names = (line.name for side in (model.inputs, model.outputs) for line in side[:_LISTED])
    width = min(_WIDTH, max((len(_shown(name)) for name in names), default=0))
    yield from _tensors("in ", model.inputs, width)
    yield from _tensors("out", model.outputs, width)
    if model.key:
        more = f" # {_DEFAULT}" if model.key == DEFAULT_KEY else ""
        yield from ("", "[[model.signature]]", f"key = {_text(model.key)}{more}")
    if model.rename:
        yield from ("", "[model.signature.rename]")
        yield from (f"{_key(old)} = {_text(new)}" for old, new in model.rename.items())


def _comment(model: LeftOut) -> Iterator[str]:
    yield "# Left out, as it cannot be converted:"
    yield from (f"#   {_shown(line)}" for line in model.why.split("\n")[:_REASONS])
    yield from (f"# {line}" for line in _model(model.name, model.source))


def _model(name: str, source: str) -> Iterator[str]:
    yield from ("[[model]]", f"name = {_text(name)}", f"source = {_text(source)}")


def _tensors(side: str, tensors: Sequence[TensorReport], width: int) -> Iterator[str]:
    for line in tensors[:_LISTED]:
        yield f"# {side}  {_shown(line.name).ljust(width)}  {_shown(line.type)}"
    if len(tensors) > _LISTED:
        yield f"# {side}  … and {len(tensors) - _LISTED:,} more"


def _key(name: str) -> str:
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else _text(name)


def _text(value: str) -> str:
    """A basic string of TOML: https://toml.io/en/v1.0.0#string."""
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return f"\\u{ord(character):04X}" if ord(character) <= 0xFFFF else f"\\U{ord(character):08X}"


def _shown(text: str) -> str:
    """A text on one line of a comment, with escapes for what is not printable, and cut if it is long."""
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return "".join(character if character.isprintable() else _escaped(character) for character in cut)
