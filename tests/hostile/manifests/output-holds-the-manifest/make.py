"""The manifest in a folder that is also the output."""

from __future__ import annotations

from pathlib import Path


def make(project: Path) -> None:
    (project / "release").mkdir()
    (project / "manifest.toml").rename(project / "release" / "manifest.toml")
