"""What a run has to tell: plain data, and its one JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundler.ir.model import Signature, TensorSpec

__all__ = ["Check", "ModelReport", "Report", "SignatureReport", "TensorReport"]


@dataclass(frozen=True)
class TensorReport:
    """One input or output of a signature.

    `tensor` is its place in the graph (`posenet/image:0`); `shape` has None for a dimension that
    is not known, and is None itself where the rank is not known.
    """

    name: str
    tensor: str
    dtype: str
    shape: tuple[int | None, ...] | None

    @classmethod
    def of(cls, name: str, spec: TensorSpec) -> TensorReport:
        """An entry of a signature."""
        return cls(name, spec.tensor.full, str(spec.dtype or "?"), spec.shape)

    @property
    def type(self) -> str:
        """Dtype and shape as people write them: `float32[1, ?, ?, 3]`, `float32 ?` for an unknown rank."""
        if self.shape is None:
            return f"{self.dtype} ?"
        return f"{self.dtype}[{', '.join('?' if size is None else str(size) for size in self.shape)}]"


@dataclass(frozen=True)
class SignatureReport:
    """One thing that a caller may ask the bundle for, and the model that answers."""

    key: str
    model: str
    inputs: tuple[TensorReport, ...]
    outputs: tuple[TensorReport, ...]
    method_name: str

    @classmethod
    def of(cls, key: str, signature: Signature, model: str) -> SignatureReport:
        """A signature of the bundle, entries by name, and the name of the model behind it."""
        inputs, outputs = (
            tuple(TensorReport.of(name, side[name]) for name in sorted(side))
            for side in (signature.inputs, signature.outputs)
        )
        return cls(key, model, inputs, outputs, signature.method_name)


@dataclass(frozen=True)
class ModelReport:
    """One model of the bundle: `ops` counts its nodes by op, `notes` tell what was changed or dropped."""

    name: str
    source: str
    digest: str
    nodes: int
    weight_bytes: int
    ops: Mapping[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """Something that was tried on the result; `detail` is the figure or the reason."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """All of it. `output` is None where nothing was written; `bytes` is the size on disk.

    `up_to_date`: it was there already, and nothing had to be done.
    """

    output: Path | None
    name: str
    signatures: tuple[SignatureReport, ...]
    models: tuple[ModelReport, ...]
    checks: tuple[Check, ...] = ()
    bytes: int = 0
    seconds: float = 0.0
    up_to_date: bool = False

    def to_json(self) -> str:
        """One document: keys in the order of the fields, ops by name, ASCII so that any pipe carries it."""
        return json.dumps(_plain(self), indent=2)


def _plain(value: object) -> object:
    """The same value in the types that JSON knows."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.as_posix() if isinstance(value, Path) else value
