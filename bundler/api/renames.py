"""New names for the inputs and outputs of a signature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from bundler.api.failures import refusals
from bundler.api.finish import renamed
from bundler.ir.protos import SignatureDef, TensorInfo

__all__ = ["RenameMap"]


class RenameMap:
    """New names by old ones. A name that a signature lacks is ignored; two names may change places.

    An old name is a key of the signature, or a tensor (`y`, `y:0`). Takes a dict, or pairs that make one. Raises
    ValueError for names that are no strings, or blank.
    """

    def __init__(self, mapping: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
        try:
            self.mapping = dict(mapping)
        except TypeError as error:
            raise ValueError(str(error)) from None
        for old, new in self.mapping.items():
            if not (_is_name(old) and _is_name(new)):
                raise ValueError(f"a name must be a text that is not blank, and {old!r}: {new!r} is not")

    def apply(self, signature: SignatureDef) -> SignatureDef:
        """Rename in place. Returns the same signature. Raises InputError if two entries would have one name."""
        if not isinstance(signature, SignatureDef):
            raise ValueError(f"this is no SignatureDef but a {type(signature).__name__}")
        with refusals():
            sides = [(side, self._renamed(side)) for side in (signature.inputs, signature.outputs)]
        for side, entries in sides:
            _fill(side, entries)
        return signature

    def _renamed(self, side: Mapping[str, TensorInfo]) -> dict[str, TensorInfo]:
        return renamed({key: _copy(side[key]) for key in side}, self.mapping, lambda info: info.name)


def _is_name(text: Any) -> bool:
    return isinstance(text, str) and bool(text.strip())


def _copy(info: TensorInfo) -> TensorInfo:
    copied = TensorInfo()
    copied.CopyFrom(info)
    return copied


def _fill(side: MutableMapping[str, TensorInfo], entries: Mapping[str, TensorInfo]) -> None:
    side.clear()
    for key, info in entries.items():
        side[key].CopyFrom(info)
