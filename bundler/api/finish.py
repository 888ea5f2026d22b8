"""Signatures as callers of the predecessor rely on them, and as a manifest cannot ask for them.

Three liberties: a method name is any text, new names for tensors that do not exist are ignored, and for the Python API
inputs and outputs have the names of their nodes if the predecessor gave them these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from bundler.api.asked import AskedModel
from bundler.convert.one import Converted
from bundler.errors import ManifestError, Place
from bundler.ir.model import PREDICT, Signature, TensorSpec
from bundler.ir.nodes import short_names
from bundler.serving.arguments import usable

__all__ = ["finished", "renamed"]

_Entry = TypeVar("_Entry")


def finished(asked: Sequence[AskedModel], made: Sequence[Converted]) -> list[Converted]:
    """The converted models with the signatures that were asked for."""
    return [_finished(*pair) for pair in zip(asked, made)]


def renamed(
    entries: Mapping[str, _Entry], names: Mapping[str, str], tensor: Callable[[_Entry], str]
) -> dict[str, _Entry]:
    """The inputs or outputs of a signature under new names, which apply all at once: two may change places.

    An old name is a key, or, if no entry has that key, a tensor (`y`, `y:0`); `tensor` returns that of an entry.
    Raises ManifestError if two entries would have one name.
    """
    found: dict[str, _Entry] = {}
    for key, entry in entries.items():
        known = (key, *_names_of(tensor(entry), entries))
        new = next((names[name] for name in known if name in names), key)
        if new in found:
            what, found_names = f"two tensors would be called {new!r}", ", ".join(names)
            raise ManifestError(what, found=found_names, place=Place(("rename",)))
        found[new] = entry
    return found


def _names_of(tensor: str, keys: Mapping[str, object]) -> Iterator[str]:
    """The spellings of a tensor that are no keys."""
    return (name for name in (tensor, tensor.removesuffix(":0")) if name not in keys)


def _finished(asked: AskedModel, made: Converted) -> Converted:
    methods = {signature.key: signature.method_name for signature in asked.signatures}
    signatures = {
        key: _with_names(_own(signature, made) if asked.by_node else signature, asked.names, methods.get(key))
        for key, signature in made.model.signatures.items()
    }
    return replace(made, model=replace(made.model, signatures=signatures))


def _with_names(signature: Signature, names: Mapping[str, str], method: str | None) -> Signature:
    inputs, outputs = (
        renamed(side, names, lambda spec: spec.tensor.full) for side in (signature.inputs, signature.outputs)
    )
    return Signature(inputs, outputs, method or PREDICT)


def _own(signature: Signature, made: Converted) -> Signature:
    """The model's own signature, by the names of its nodes if the predecessor did not read others."""
    by_node = replace(signature, inputs=_usable(_by_node(signature.inputs)), outputs=_by_node(signature.outputs))
    return signature if by_node == signature or made.names_its_signature else by_node


def _by_node(side: Mapping[str, TensorSpec]) -> dict[str, TensorSpec]:
    return short_names({spec.tensor.full: spec for spec in side.values()})


def _usable(inputs: Mapping[str, TensorSpec]) -> dict[str, TensorSpec]:
    """Inputs by names that callers in Python can pass."""
    changed = usable(inputs)
    return {changed[name].proposed if name in changed else name: spec for name, spec in inputs.items()}
