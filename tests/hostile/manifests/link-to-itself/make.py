"""A manifest that is a link to itself."""

from __future__ import annotations

from pathlib import Path


def make(project: Path) -> None:
    (project / "manifest.toml").unlink()
    (project / "manifest.toml").symlink_to("manifest.toml")
