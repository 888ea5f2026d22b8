import json
from pathlib import Path


def make(project: Path) -> None:
    """A file of a megabyte becomes a gigabyte of weights."""
    weights = [{"name": "w", "dtype": "uint8", "shape": [1000, 1 << 20]}]
    document = {"modelTopology": {"node": []}, "weightsManifest": [{"paths": ["w.bin"] * 1000, "weights": weights}]}
    (project / "model" / "model.json").write_text(json.dumps(document))
    (project / "model" / "w.bin").write_bytes(bytes(1 << 20))
