"""Contents of a page with something in every place of every template."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from bundler.page import Contents
from bundler.page.flow import Arc, Flow, Stop
from bundler.report import Entries, ModelReport, Report, Rewritten, SignatureReport, StepReport, TensorReport
from bundler.report.difference import (
    Counted,
    Difference,
    ModelChange,
    Sided,
    SignatureChange,
    TensorChange,
    WeightChange,
)
from bundler.report.verification import OutputVerdict, SignatureVerdict, Verification

__all__ = ["EVERYTHING", "spoiled"]

_IMAGE = TensorReport("image", "cat/image:0", "float32", (None, 3))
_MODEL = ModelReport(
    name="cat",
    source="models/cat",
    digest="sha256:00",
    nodes=3,
    weight_bytes=8,
    ops={"MatMul": 2, "Relu": 1},
    notes=("it was changed",),
    format="graph",
    written_by="a program",
    signature_from="the file",
    stored={"float32": 1},
    rewritten=(Rewritten("Prelu", 1, ("Relu", "Neg")),),
)
_SIGNATURE = SignatureReport(
    "faces", ("cat",), Entries([_IMAGE]), Entries([_IMAGE]), "regress", (StepReport("decode_image", (_IMAGE,)),)
)
_FLOW = Flow(
    (Stop("input", "image", (_IMAGE,)), Stop("step", "decode_image", (_IMAGE,)), Stop("output", "y", (_IMAGE,))),
    (Arc(0, 1, 0), Arc(0, 2, 1), Arc(1, 2, 0)),
)
_DIFFERENCE = Difference(
    before=Sided("previous", 1, 1, 1, 10),
    after=Sided("pets", 1, 1, 1, 12),
    tags=("serve",),
    signatures=(
        SignatureChange("gone", "", "removed"),
        SignatureChange("faces", "", "changed", (TensorChange("input", "x", "changed", "shape", "a", "b", True),)),
    ),
    models=(ModelChange("cat", "changed", ("old", "new"), ("sha256:00", "sha256:01")),),
    weights=(
        WeightChange("w", "changed", "float32[2]", "float32[2]", 2, 1, 0.5, math.inf),
        WeightChange("v", "added", "", "float32[1]"),
    ),
    weights_compared=2,
    ops=(Counted("Relu", 1, 2),),
    nodes=("cat/softmax",),
)
_VERDICT = SignatureVerdict(
    key="faces",
    model="cat",
    road="tf.saved_model.load",
    reference="TensorFlow.js",
    inputs="random",
    verdict="wrong",
    why="a reason",
    outputs=Entries([OutputVerdict("y", "wrong", "another", 1.0, math.inf, (0, 1), "nan", 2.5)]),
)
EVERYTHING = Contents(
    report=Report(None, "pets", Entries([_SIGNATURE]), Entries([_MODEL])),
    weights={"weights-of-a-cat": 8},
    flows={"faces": _FLOW},
    files={"saved_model.pb": "00"},
    difference=_DIFFERENCE,
    verification=Verification(Path("dist/pets"), "TensorFlow.js", Entries([_VERDICT])),
)

_OURS = ("kind", "side", "verdict")
"""Fields whose values bundler chooses."""


def spoiled(value: Any, text: str) -> Any:
    """The same value, with `text` before every text in it that a stranger may have chosen."""
    if isinstance(value, str):
        return text + value
    if isinstance(value, Mapping):
        return {spoiled(key, text): spoiled(each, text) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **_spoiled(value, [each.name for each in fields(value)], text))
    if hasattr(value, "_fields"):
        return value._replace(**_spoiled(value, value._fields, text))
    if isinstance(value, tuple):
        return type(value)([spoiled(each, text) for each in value])
    return value


def _spoiled(value: Any, names: Any, text: str) -> dict[str, Any]:
    return {name: spoiled(getattr(value, name), text) for name in names if name not in _OURS}
