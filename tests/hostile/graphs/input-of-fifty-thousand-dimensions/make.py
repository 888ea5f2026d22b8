"""An input whose shape has far more sizes than TensorFlow takes."""

import json
from pathlib import Path


def make(project: Path) -> None:
    dim = [{"size": str(1 << 62)}] * 50_000
    attr = {"dtype": {"type": "DT_FLOAT"}, "shape": {"shape": {"dim": dim}}}
    nodes = [
        {"name": "x", "op": "Placeholder", "attr": attr},
        {"name": "y", "op": "Relu", "input": ["x"], "attr": {"T": {"type": "DT_FLOAT"}}},
    ]
    document = {"format": "graph-model", "modelTopology": {"node": nodes}, "weightsManifest": []}
    (project / "model" / "model.json").write_text(json.dumps(document))
