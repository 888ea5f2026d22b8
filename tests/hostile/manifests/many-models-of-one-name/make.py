"""20,000 models of one name."""

from __future__ import annotations

from pathlib import Path


def make(project: Path) -> None:
    model = '[[model]]\nname = "m"\nsource = "model"\n'
    (project / "manifest.toml").write_text('[bundle]\nname = "b"\n' + model * 20_000)
