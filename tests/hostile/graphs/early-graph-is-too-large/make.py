"""A GraphDef that is larger than any."""

from __future__ import annotations

from pathlib import Path


def make(project: Path) -> None:
    """Write a model from before 1.0."""
    model = project / "model"
    model.mkdir(exist_ok=True)
    (model / "weights_manifest.json").write_text("[]")
    (model / "tensorflowjs_model.pb").write_bytes(b"\x0a\x00" * (17 << 20))
