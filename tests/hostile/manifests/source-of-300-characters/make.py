"""A source that no file system could name."""

from __future__ import annotations

from pathlib import Path


def make(project: Path) -> None:
    manifest = project / "manifest.toml"
    manifest.write_text(manifest.read_text().replace('"model"', f'"{"s" * 300}"'))
