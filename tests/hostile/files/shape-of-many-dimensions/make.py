import json
from pathlib import Path


def make(project: Path) -> None:
    """To multiply them takes minutes, and to print the product is refused."""
    weights = [{"name": "w", "dtype": "float32", "shape": [2**62] * 100_000}]
    document = {"modelTopology": {"node": []}, "weightsManifest": [{"paths": [], "weights": weights}]}
    (project / "model" / "model.json").write_text(json.dumps(document))
