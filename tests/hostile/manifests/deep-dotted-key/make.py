"""A key of 20,000 parts."""

from __future__ import annotations

from pathlib import Path


def make(project: Path) -> None:
    key = ".".join("a" * 20_000)
    (project / "manifest.toml").write_text(f'[bundle]\nname = "b"\n{key} = 1\n')
