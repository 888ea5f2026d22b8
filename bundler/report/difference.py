"""What is different between two bundles: plain data, and its JSON document."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

__all__ = [
    "Counted",
    "Difference",
    "Kind",
    "ModelChange",
    "Sided",
    "SignatureChange",
    "StepChange",
    "TensorChange",
    "WeightChange",
]

Kind = Literal["added", "removed", "changed", "renamed"]
"""Only inputs and outputs are `renamed`."""


@dataclass(frozen=True)
class TensorChange:
    """A change of an input or output of a signature, or of the signature's method (`side` is "method").

    `what` is "name", "dtype", "shape" or "method". `before` and `after` are texts, empty for what is not there.
    `breaks`: a caller would notice. `new_name` is that of a tensor of the graph that has another name for callers.
    """

    side: Literal["input", "output", "method"]
    name: str
    kind: Kind
    what: str
    before: str
    after: str
    breaks: bool
    new_name: str = ""


@dataclass(frozen=True)
class SignatureChange:
    """A signature that was added, removed or changed. `tags` are those of its MetaGraph if there are several."""

    key: str
    tags: str
    kind: Kind
    changes: tuple[TensorChange, ...] = ()

    @property
    def breaks(self) -> bool:
        """Whether a caller would notice: the signature is gone, or one of its changes is such."""
        return self.kind == "removed" or any(change.breaks for change in self.changes)

    @property
    def name(self) -> str:
        """The key, after the tags if there are several MetaGraphs."""
        return f"{self.tags}: {self.key}" if self.tags else self.key


@dataclass(frozen=True)
class StepChange:
    """A step of a composed signature that was added or removed: its number, from 1, and its op with what it gives."""

    signature: str
    kind: Kind
    number: int
    step: str


@dataclass(frozen=True)
class ModelChange:
    """A model that was added, removed or changed: source or digest before and after, empty for what is not there."""

    name: str
    kind: Kind
    source: tuple[str, str]
    digest: tuple[str, str]


@dataclass(frozen=True)
class WeightChange:
    """A weight that was added, removed or changed. `before` and `after` are its dtype and shape.

    Of one whose values changed, `elements` is the number of elements that differ, of `size`; `absolute` is the largest
    change, `relative` that divided by the largest absolute value before, both infinite if an element became NaN or
    infinite or was. They are None if the dtype or shape changed, and for text.
    """

    name: str
    kind: Kind
    before: str
    after: str
    size: int = 0
    elements: int = 0
    absolute: float | None = None
    relative: float | None = None


@dataclass(frozen=True)
class Counted:
    """A number before and after, of nodes of an op for example."""

    name: str
    before: int
    after: int


@dataclass(frozen=True)
class Sided:
    """One of the two bundles: what the user named, and how many signatures, models, weights and bytes it has.

    `models` is None if bundler's record is not there. `bytes` is 0 for a manifest, whose bundle is not written.
    """

    source: str
    signatures: int
    models: int | None
    weights: int
    bytes: int


@dataclass(frozen=True)
class Difference:
    """What is different between two bundles. All tuples are empty if nothing is.

    `tags` are the sets of tags of MetaGraphs that are gone. `weights_compared` is the number of weights of both.
    `nodes` are the names of nodes whose op is the same, and whose inputs or attributes are not. `steps` are those of
    composed signatures, if both bundles have bundler's record.
    """

    before: Sided
    after: Sided
    tags: tuple[str, ...]
    signatures: tuple[SignatureChange, ...]
    models: tuple[ModelChange, ...]
    weights: tuple[WeightChange, ...]
    weights_compared: int
    ops: tuple[Counted, ...]
    nodes: tuple[str, ...]
    steps: tuple[StepChange, ...] = ()

    @property
    def breaks(self) -> bool:
        """Whether a caller would notice: a signature or a set of tags is gone, or takes less or gives other values."""
        return bool(self.tags) or any(signature.breaks for signature in self.signatures)

    @property
    def is_empty(self) -> bool:
        """Whether signatures, models, weights, ops, nodes and steps are the same."""
        graph = self.weights or self.ops or self.nodes or self.steps
        return not (self.tags or self.signatures or self.models or graph)

    def to_json(self) -> str:
        """One JSON document in ASCII. Infinite changes are the text "Infinity"."""
        signatures = [{**asdict(each), "breaks": each.breaks} for each in self.signatures]
        weights = [{**asdict(each), **_changes(each)} for each in self.weights]
        document = {"breaks": self.breaks, **asdict(self), "signatures": signatures, "weights": weights}
        return json.dumps(document, indent=2)


def _changes(weight: WeightChange) -> dict[str, float | str | None]:
    changes = {"absolute": weight.absolute, "relative": weight.relative}
    return {name: "Infinity" if value == float("inf") else value for name, value in changes.items()}
