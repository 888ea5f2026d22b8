"""What a run reports: plain data, and its JSON document."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.ir.shapes import shown
from bundler.report.entries import Entries

if TYPE_CHECKING:
    from bundler.ir.model import Signature, TensorSpec

__all__ = [
    "Check",
    "Entries",
    "ModelReport",
    "Report",
    "Rewritten",
    "SignatureReport",
    "StepReport",
    "TensorReport",
    "plain",
]


@dataclass(frozen=True)
class TensorReport:
    """One input or output of a signature.

    `tensor` is its tensor in the graph (`posenet/image:0`). `dtype` is NumPy's name, `?` if it is unknown. `shape`
    has None for an unknown size, and is None if the rank is unknown.
    """

    name: str
    tensor: str
    dtype: str
    shape: tuple[int | None, ...] | None

    @classmethod
    def of(cls, name: str, spec: TensorSpec) -> TensorReport:
        """The input or output `name` of a signature."""
        return cls(name, spec.tensor.full, str(spec.dtype or "?"), spec.shape)

    @property
    def type(self) -> str:
        """Dtype and shape in one text: `float32[1, ?, ?, 3]`, or `float32 ?` for an unknown rank."""
        if self.shape is None:
            return f"{self.dtype} ?"
        return f"{self.dtype}{shown(self.shape)}"


@dataclass(frozen=True)
class StepReport:
    """A step of a composed signature: its op or the signature that it calls, and what it gives.

    A tensor without a name has "" for it.
    """

    step: str
    gives: tuple[TensorReport, ...]


@dataclass(frozen=True)
class SignatureReport:
    """A signature, and the names of the models that compute it. Inputs and outputs are sorted by name.

    A signature that is composed of steps has them in `steps`, and may have several models, or none.
    """

    key: str
    models: tuple[str, ...]
    inputs: Entries[TensorReport]
    outputs: Entries[TensorReport]
    method_name: str
    steps: tuple[StepReport, ...] = ()

    @classmethod
    def of(
        cls, key: str, signature: Signature, models: tuple[str, ...], steps: tuple[StepReport, ...] = ()
    ) -> SignatureReport:
        """The signature `key` of a bundle, which the models of these names compute."""
        inputs, outputs = (
            Entries(TensorReport.of(name, side[name]) for name in sorted(side))
            for side in (signature.inputs, signature.outputs)
        )
        return cls(key, models, inputs, outputs, signature.method_name, steps)

    @property
    def name(self) -> str:
        """The key."""
        return self.key


@dataclass(frozen=True)
class Rewritten:
    """What became of `count` nodes of an op of a TensorFlow.js model: the ops in the place of each."""

    op: str
    count: int
    into: tuple[str, ...]


@dataclass(frozen=True)
class ModelReport:
    """One model of a bundle, or a graph of a SavedModel by another program.

    `digest` is `sha256:<hex>` of its files. `nodes`, `weight_bytes` and `ops`, the number of nodes by op, are those of
    the graph that TensorFlow runs for the signatures, after the rewrites: see `report.census`. `notes` say what was
    changed or dropped, `rewritten` which ops of the source became others.

    `format` is "graph" or "layers", empty for a graph of TensorFlow. `written_by` names the programs that wrote the
    model, `signature_from` the place of its signature, `stored` counts its weights by the dtype in its files: see
    `convert.about`.
    """

    name: str
    source: str
    digest: str
    nodes: int
    weight_bytes: int
    ops: Mapping[str, int]
    notes: tuple[str, ...] = ()
    format: str = ""
    written_by: str = ""
    signature_from: str = ""
    stored: Mapping[str, int] = field(default_factory=dict)
    rewritten: tuple[Rewritten, ...] = ()


@dataclass(frozen=True)
class Check:
    """A check that the result passed. One that fails raises VerificationError instead. `detail` is its figure."""

    name: str
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """What is in a bundle, a model or a SavedModel, and what a run did.

    `signatures`, `models` and `checks` are found by name: `report.signatures["serving_default"].inputs["image"].shape`.
    `output` is the path that was written, None if none was. `bytes` is the size on disk. `up_to_date`: the output was
    there already, and nothing was written.
    """

    output: Path | None
    name: str
    signatures: Entries[SignatureReport]
    models: Entries[ModelReport]
    checks: Entries[Check] = field(default_factory=Entries)
    bytes: int = 0
    seconds: float = 0.0
    up_to_date: bool = False

    def to_json(self) -> str:
        """One JSON document in ASCII: keys in the order of the fields, ops sorted by name."""
        return json.dumps(plain(self), indent=2)


def plain(value: object) -> object:
    """The same value in the types that JSON knows; NaN and infinities are texts."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(value[key]) for key in sorted(value)}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value.as_posix() if isinstance(value, Path) else value
