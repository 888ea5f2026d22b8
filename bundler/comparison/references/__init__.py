"""What a bundle is compared with. A `Reference` gives the outputs of a signature for inputs, by name.

browser   TensorFlow.js, which runs the models that the bundle was made from
chain     the same for composed signatures, step by step
golden    the files of a manifest's checks
other     another bundle
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bundler.bundle import Endpoint
from bundler.ir.nodes import Shape

if TYPE_CHECKING:
    from bundler.comparison.references.chain import Seams

__all__ = ["SECONDS", "Answer", "Incomparable", "Reference"]

SECONDS = 600
"""For one call of a model, which may loop without end."""


class Incomparable(Exception):
    """The reference has no outputs for this signature, or none that must agree; the text says why."""


@dataclass(frozen=True)
class Answer:
    """The outputs of a signature, by name, and what gave them.

    `narrow`: they may have the nearest dtype that JavaScript has. `open` has outputs that cannot be compared, by name,
    each with the reason. `departs` says why outputs need not agree; those that do agree are right. `seams` has the
    steps of a composed signature.
    """

    outputs: Mapping[str, np.ndarray]
    reference: str
    narrow: bool = False
    open: Mapping[str, str] = field(default_factory=dict)
    departs: str = ""
    seams: Seams | None = None


class Reference(Protocol):
    """Something that computes what signatures must give.

    Every question raises Incomparable; `answer` raises Failure too, if the reference refuses the inputs or dies.
    """

    @property
    def title(self) -> str:
        """What it is, in words: `TensorFlow.js 4.22.0`."""

    def shapes(self, endpoint: Endpoint) -> Mapping[str, Shape]:
        """The shapes that it takes, by the signature's names of inputs, as far as they are known."""

    def answer(
        self, endpoint: Endpoint, feeds: Mapping[str, np.ndarray], golden: Mapping[str, np.ndarray] | None
    ) -> Answer:
        """The outputs for inputs; `golden` are those that a check has recorded for them."""
