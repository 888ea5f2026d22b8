"""What a layer means to the library that wrote the model.

TensorFlow.js, Keras 2 and Keras 3 share a format and most of its meaning. A model computes here what it computed
there: this table has every difference that the file itself does not spell out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bundler.tfjs.fields import Json

__all__ = ["JAVASCRIPT", "KERAS_2", "KERAS_3", "Origin", "origin_of"]


class Origin(NamedTuple):
    """The differences between the libraries.

    `activations`: names that mean another activation of our table. `counts_own`: a model that is a layer of another
    one counts its own outputs as its first call. `names_inner_input`: the input of a Sequential that begins with a
    model has the name of that model's input, not `<model>_input`. `heeds_calls`: arguments of a call that the file
    records are passed on. `passes_masks`: layers whose outputs have the mask of their first input.
    """

    name: str
    activations: Mapping[str, str] = {}
    counts_own: bool = True
    names_inner_input: bool = False
    heeds_calls: bool = True
    passes_masks: frozenset[str] = frozenset()


_PASSES = frozenset(["Activation", "Dense", "Dropout"])

KERAS_2 = Origin("Keras 2", passes_masks=_PASSES)
KERAS_3 = Origin(
    "Keras 3",
    # https://github.com/keras-team/keras/blob/v3.5.0/keras/src/backend/tensorflow/nn.py#L70: relu6(x + 3) / 6
    activations={"hard_sigmoid": "keras_3_hard_sigmoid"},
    counts_own=False,
    passes_masks=_PASSES,
)
JAVASCRIPT = Origin(
    "TensorFlow.js",
    # `Sequential.add` in tfjs-layers/src/models.ts takes over the inputs of a model that it begins with
    names_inner_input=True,
    # `execute` in tfjs-layers/src/engine/executor.ts passes the arguments of `predict` on, not those of the file
    heeds_calls=False,
    passes_masks=_PASSES,
)

_STARTS = {"3.": KERAS_3, "tfjs-layers": JAVASCRIPT}
"""By how `keras_version` begins."""


def origin_of(topology: Json) -> Origin:
    """The library that wrote a `modelTopology`; Keras 2 if it does not say."""
    version = topology.get("keras_version")
    named = (origin for start, origin in _STARTS.items() if isinstance(version, str) and version.startswith(start))
    return next(named, KERAS_2)
