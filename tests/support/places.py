"""Folders of the repository."""

from __future__ import annotations

from pathlib import Path

__all__ = ["MANIFESTS", "ROOT", "TESTS"]

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
MANIFESTS = ROOT / "manifests"
