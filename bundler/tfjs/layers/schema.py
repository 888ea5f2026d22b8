"""What a field of a layer's configuration is: the reader of its value, and its default."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from bundler.tfjs.layers.description import Value
from bundler.tfjs.layers.readers import Reader

__all__ = ["REQUIRED", "Activation", "Field", "Inside", "Options", "Required"]


class Required(Enum):
    """The default of a field that has none."""

    REQUIRED = 0


REQUIRED = Required.REQUIRED


class Field(NamedTuple):
    """A field that holds a plain value; null stands for the default, unless it is a value of its own."""

    read: Reader
    default: Value | Required = REQUIRED
    takes_null: bool = False


class Activation(NamedTuple):
    """A field that holds the name of an activation, or a layer that has no more than one."""

    default: str | None


class Inside(NamedTuple):
    """A field that holds a layer of one of these kinds, or a list of them."""

    kinds: frozenset[str]
    many: bool = False
    optional: bool = False


Options = Mapping[str, "Field | Activation | Inside"]
