"""Tables in tables, 5,000 deep."""

from __future__ import annotations

from pathlib import Path


def make(project: Path) -> None:
    (project / "manifest.toml").write_text("bundle = " + "{a=" * 5_000)
