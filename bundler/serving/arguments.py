"""Input keys that callers in Python can use.

`tf.saved_model.load` makes a parameter of `inspect.Signature` from each input key (`sanitize_arg_name` in
tensorflow/core/function/polymorphism/function_type.py). So it refuses bundles with an empty key, a keyword, a character
that identifiers cannot have, or two keys for one parameter. `self` is the parameter of the function's own `__call__`.
Output keys may be any strings.
"""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterable, Iterator
from itertools import count
from typing import NamedTuple

__all__ = ["Unusable", "argument", "unusable", "usable"]


class Unusable(NamedTuple):
    """An input key that callers cannot pass, the reason, and a key that they can."""

    key: str
    why: str
    proposed: str


def argument(key: str) -> str:
    """TensorFlow's name for the argument of an input: for example `image_0` for `image:0`, "" for ""."""
    swapped = "".join(character if character.isalnum() else "_" for character in key)
    return swapped if not swapped or swapped[0].isalpha() else f"arg_{swapped}"


def unusable(keys: Iterable[str]) -> Iterator[Unusable]:
    """The input keys of one signature that callers cannot pass. Of several keys for one argument, the first can be."""
    keys = list(keys)
    taken = {argument(key) for key in keys}
    first: dict[str, str] = {}
    for key in keys:
        earlier = first.setdefault(argument(key), key)
        why = _why(key) or ("" if earlier == key else f"for TensorFlow it is the same argument as {earlier!r}")
        if why:
            made = _free(key, taken)
            taken.add(made)
            yield Unusable(key, why, made)


def usable(keys: Iterable[str], chosen: Collection[str] = ()) -> dict[str, Unusable]:
    """The model's own input keys that must change so that callers can pass all, by key. `chosen` keys stay."""
    # A key that is the name of its argument comes first, and keeps it.
    own = sorted(keys, key=lambda key: (argument(key) != key, key))
    return {found.key: found for found in unusable([*chosen, *own]) if found.key not in chosen}


def _why(key: str) -> str:
    if not key:
        return "it is empty"
    if keyword.iskeyword(argument(key)):
        return "it is a keyword of Python"
    if key == "self":
        return "functions have an argument of that name"
    return "" if argument(key).isidentifier() else "it has a character that Python's names cannot have"


def _free(key: str, taken: Collection[str]) -> str:
    """A key like this one, for an argument that is still free."""
    plain = "".join(character if f"x{character}".isidentifier() else "_" for character in argument(key)) or "input"
    usual = f"{plain}_" if keyword.iskeyword(plain) or plain == "self" else plain
    names = (usual if number == 1 else f"{plain}_{number}" for number in count(1))
    return next(name for name in names if name not in taken)
