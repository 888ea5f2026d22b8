"""A bundle with 20,000 unknown keys."""

from __future__ import annotations

from pathlib import Path


def make(project: Path) -> None:
    keys = "".join(f"nam{number} = 1\n" for number in range(20_000))
    model = '[[model]]\nname = "m"\nsource = "model"\n'
    (project / "manifest.toml").write_text(f'[bundle]\nname = "b"\n{keys}{model}')
