"""A weights_manifest.json with a path out of the folder."""

from __future__ import annotations

from pathlib import Path


def make(project: Path) -> None:
    """Write a model from before 1.0."""
    model = project / "model"
    model.mkdir(exist_ok=True)
    (model / "weights_manifest.json").write_text('[{"paths": ["../secret.bin"], "weights": []}]')
    (model / "tensorflowjs_model.pb").write_bytes(b"\x0a\x03\x0a\x01x")
