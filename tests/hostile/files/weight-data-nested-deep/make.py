"""weightData is an object in an object in an object, six hundred times."""

from __future__ import annotations

from pathlib import Path


def make(project: Path) -> None:
    """Write `model/model.json`."""
    model = project / "model"
    model.mkdir(exist_ok=True)
    depth = 600
    data = '{"data":' * depth + "null" + "}" * depth
    weights = '[{"name": "w", "shape": [2], "dtype": "float32"}]'
    (model / "model.json").write_text(f'{{"modelTopology": {{}}, "weightSpecs": {weights}, "weightData": {data}}}')
