"""One case of the layers suite: a small model, and what is known of the libraries that could make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from tests.layers.libraries import JAVASCRIPT, KERAS_2, KERAS_3, ORIGINS, Origin, lacking
from tests.layers.model import Input, Layer, Model, Part, Stack, chain

__all__ = [
    "JAVASCRIPT",
    "KERAS_2",
    "KERAS_3",
    "ORIGINS",
    "RECURRENT",
    "Case",
    "Differs",
    "Lacks",
    "Origin",
    "Refused",
    "Reloads",
    "Shape",
    "Verdict",
    "case",
    "lacks",
    "made",
]

EXACT = 1e-6
RECURRENT = 1e-5
"""The largest error, as a part of the output's largest value."""

Shape: TypeAlias = "tuple[int | None, ...]"


class Lacks(NamedTuple):
    """The library cannot make, save, load or run the model; its error has these words.

    `absent`: it does not have the layer or the option at all.
    """

    words: str
    absent: bool = False


class Refused(NamedTuple):
    """bundler refuses the model; its error has these words."""

    words: str


class Reloads(NamedTuple):
    """TensorFlow.js does not load its own file as the model that it saved; these words say what it does instead.

    What it makes of the file is right; if that is an error, what it saved.
    """

    words: str


class Differs(NamedTuple):
    """The library gives other numbers than its file or its other backends, a mistake that bundler does not repeat."""

    why: str


Verdict: TypeAlias = "Lacks | Refused | Reloads | Differs"


@dataclass(frozen=True)
class Case:
    """A model that shows `kind` in the way that `name` says.

    An origin makes the model and bundler gives its numbers, unless `but` has something else for it.
    """

    kind: str
    name: str
    model: Model
    tolerance: float = EXACT
    but: Mapping[Origin, Verdict] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Unique over the suite, and fit for a folder and a scope."""
        return f"{self.kind}-{self.name}".replace(" ", "-").replace(",", "")


def case(
    kind: str,
    name: str,
    inputs: Shape | Input | list[Any],
    *,
    before: Sequence[Part] = (),
    after: Sequence[Part] = (),
    stack: bool = False,
    tolerance: float = EXACT,
    but: Mapping[Origin, Verdict] | None = None,
    **options: Any,
) -> Case:
    """A case of one layer with these options, called with all inputs, with other layers before and after it.

    The model is a Sequential if `stack`. What the libraries lack (see `libraries`) need not be in `but`.
    """
    listed = [_input(given) for given in (inputs if isinstance(inputs, list) else [inputs])]
    layers = (*before, Layer(kind, options), *after)
    model = Stack(layers, *listed) if stack else chain(listed, *layers)
    return Case(kind, name, model, tolerance, {**_known(kind, options), **(but or {})})


def made(
    kind: str, name: str, model: Model, tolerance: float = EXACT, but: Mapping[Origin, Verdict] | None = None
) -> Case:
    """A case of a whole model."""
    return Case(kind, name, model, tolerance, {**_known(kind, {}), **(but or {})})


def lacks(**words: str) -> dict[Origin, Verdict]:
    """The words with which libraries, by their names, refuse a case."""
    return {origin: Lacks(words[origin]) for origin in ORIGINS if origin in words}


def _known(kind: str, options: Mapping[str, object]) -> dict[Origin, Verdict]:
    return {origin: Lacks(words, absent=True) for origin, words in lacking(kind, options)}


def _input(given: Shape | Input) -> Input:
    return given if isinstance(given, Input) else Input(given)
