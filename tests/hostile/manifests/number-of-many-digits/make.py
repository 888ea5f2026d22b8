"""A version of 10,000 digits."""

from __future__ import annotations

from pathlib import Path


def make(project: Path) -> None:
    (project / "manifest.toml").write_text(f'[bundle]\nname = "b"\nversion = {"9" * 10_000}\n')
