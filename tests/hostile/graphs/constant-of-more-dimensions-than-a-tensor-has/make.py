"""A constant whose shape has 240 sizes of 2^62: their product has more digits than Python spells."""

import json
from pathlib import Path


def make(project: Path) -> None:
    shape = {"dim": [{"size": str(1 << 62)}] * 240}
    value = {"tensor": {"dtype": "DT_FLOAT", "tensorShape": shape, "floatVal": [1]}}
    nodes = [
        {"name": "x", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}}},
        {"name": "c", "op": "Const", "attr": {"dtype": {"type": "DT_FLOAT"}, "value": value}},
        {"name": "y", "op": "AddV2", "input": ["x", "c"], "attr": {"T": {"type": "DT_FLOAT"}}},
    ]
    document = {"format": "graph-model", "modelTopology": {"node": nodes}, "weightsManifest": []}
    (project / "model" / "model.json").write_text(json.dumps(document))
