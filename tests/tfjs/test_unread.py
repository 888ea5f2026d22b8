"""What TensorFlow.js does not read of a model.json cannot fail a build: tfjs-converter/src/executor/graph_model.ts,
tfjs-converter/src/operations/operation_mapper.ts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from tests.support.models import placeholder, read_model, write_model

FUNCTION = {
    "signature": {
        "name": "f",
        "inputArg": [{"name": "a", "type": "DT_FLOAT"}],
        "outputArg": [{"name": "r", "type": "DT_FLOAT"}],
    },
    "nodeDef": [{"name": "n", "op": "Neg", "input": ["a"], "attr": {"T": {"type": "DT_FLOAT"}}}],
    "ret": {"r": "n:y:0"},
}
IF = {
    "name": "z",
    "op": "StatelessIf",
    "input": ["c", "y"],
    "attr": {
        "then_branch": {"func": {"name": "f"}},
        "else_branch": {"func": {"name": "f"}},
        "Tcond": {"type": "DT_BOOL"},
        "Tin": {"list": {"type": ["DT_FLOAT"]}},
        "Tout": {"list": {"type": ["DT_FLOAT"]}},
    },
}
SIGNATURE = {"inputs": {"image": {"name": "x:0", "dtype": "DT_FLOAT"}}, "outputs": {"score": {"name": "z:0"}}}

ODD: list[Any] = ["v2", {"a": 1}, [1], [[]], True, None, 1.5, -1, 1 << 70, ""]
UNREAD = [
    "format",
    "generatedBy",
    "convertedBy",
    "trainingConfig",
    "userDefinedMetadata",
    "initializerSignature",
    "unknown",
    "userDefinedMetadata.unknown",
    "modelTopology.versions",
    "modelTopology.versions.producer",
    "modelTopology.versions.minConsumer",
    "modelTopology.version",
    "modelTopology.debugInfo",
    "modelTopology.library.gradient",
    "modelTopology.library.registeredGradients",
    "modelTopology.library.unknown",
    "modelTopology.node.1.device",
    "modelTopology.node.1.experimentalDebugInfo",
    "modelTopology.node.1.experimentalType",
    "modelTopology.node.1.unknown",
    "modelTopology.node.1.attr._output_shapes",
    "modelTopology.node.1.attr.unknown",
    "modelTopology.library.function.0.attr",
    "modelTopology.library.function.0.argAttr",
    "modelTopology.library.function.0.resourceArgUniqueId",
    "modelTopology.library.function.0.controlRet",
    "modelTopology.library.function.0.unknown",
    "modelTopology.library.function.0.signature.description",
    "modelTopology.library.function.0.signature.isStateful",
    "modelTopology.library.function.0.signature.controlOutput",
    "modelTopology.library.function.0.signature.unknown",
    "modelTopology.library.function.0.signature.inputArg.0.description",
    "modelTopology.library.function.0.signature.inputArg.0.handleData",
    "modelTopology.library.function.0.nodeDef.0.device",
    "modelTopology.library.function.0.nodeDef.0.experimentalDebugInfo",
    "modelTopology.library.function.0.nodeDef.0.attr._class",
    "signature.methodName",
    "signature.defaults",
    "signature.inputs.image.unknown",
    "weightsManifest.0.unknown",
    "weightsManifest.0.weights.0.unknown",
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nodes = [
        placeholder("x", None, 3),
        new_node("MatMul", "y", ["x", "w"], T=DType.float32),
        placeholder("c", dtype=DType.bool),
        IF,
    ]
    folder = tmp_path_factory.mktemp("unread")
    more = {"functions": [FUNCTION], "signature": SIGNATURE, "userDefinedMetadata": {}}
    return write_model(folder, nodes, {"w": np.ones((3, 2), np.float32)}, **more)


@pytest.mark.parametrize("field", UNREAD)
def test_a_field_that_tensorflowjs_does_not_read_may_hold_anything(path: Path, field: str) -> None:
    written = path.read_text()
    right = read_model(path)
    try:
        for odd in ODD:
            path.write_text(json.dumps(_changed(json.loads(written), field.split("."), odd)))
            model = read_model(path)
            assert (model.graph.nodes, model.signatures) == (right.graph.nodes, right.signatures)
            assert {name: body.graph.nodes for name, body in model.functions.items()} == {
                name: body.graph.nodes for name, body in right.functions.items()
            }
    finally:
        path.write_text(written)


def _changed(document: Any, field: list[str], value: object) -> Any:
    place = document
    for key in field[:-1]:
        place = place[int(key) if isinstance(place, list) else key]
    place[field[-1]] = value
    return document
