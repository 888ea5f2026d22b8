"""A model in the form of files that TensorFlow.js reads in Node.js: a JSON file, and shards beside it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from bundler.artifacts import document
from bundler.artifacts.artifact import Artifact

__all__ = ["plain_entry"]

_WEIGHTS = "weights.bin"


def plain_entry(artifact: Artifact, folder: Path) -> Path:
    """The JSON file of a model; if the model has another form, a new one that is written into an empty folder."""
    path = artifact.path(artifact.entry)
    if not artifact.companions and artifact.data is None and "weightsManifest" in document.read(path):
        return path
    written = dict(artifact.document)
    if artifact.data is not None:
        (group,) = written["weightsManifest"]
        written["weightsManifest"] = [{**group, "paths": [_WEIGHTS]}]
        (folder / _WEIGHTS).write_bytes(artifact.data)
    for shard in artifact.shards:
        place = folder / shard
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(os.path.realpath(artifact.path(shard)))
    entry = folder / "plain-model.json"
    entry.write_text(json.dumps(written))
    return entry
