"""Small models, and manifests that compose signatures of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, new_node
from tests.support.models import placeholder, write_model

__all__ = ["write"]

FLOAT = DType.float32

MODELS = """
[bundle]
name = "small"
{bundle}
[[model]]
name = "emotion"
source = "emotion"

[[model.signature]]
key = "face_emotion"
rename = {{ "x" = "image", "y" = "probabilities" }}

[[model]]
name = "detector"
source = "detector"

[[model.signature]]
key = "face_detect"
rename = {{ "x" = "image" }}
outputs = ["boxes_fine", "boxes_coarse", "scores_fine", "scores_coarse"]
{signatures}"""


def write(folder: Path, signatures: str, bundle: str = "") -> Path:
    """A manifest with two small models and these composed signatures.

    `face_emotion` takes image, float32[?, 64, 64, 1], and gives probabilities, float32[?, 7]. `face_detect` takes
    image, float32[1, 256, 256, 3], and gives boxes and scores of 512 and 384 anchors.
    """
    for name in ("emotion", "detector"):
        if not (folder / name).exists():
            {"emotion": _emotion, "detector": _detector}[name](folder / name)
    path = folder / "faces.toml"
    path.write_text(MODELS.format(bundle=bundle, signatures=signatures))
    return path


def _emotion(folder: Path) -> None:
    weights = {"axes": np.array([1, 2], np.int32), "w": np.linspace(-1, 1, 7, dtype=np.float32).reshape(1, 7)}
    nodes = [
        placeholder("x", None, 64, 64, 1),
        new_node("Mean", "mean", ["x", "axes"], T=FLOAT, Tidx=DType.int32, keep_dims=False),
        new_node("MatMul", "scores", ["mean", "w"], T=FLOAT, transpose_a=False, transpose_b=False),
        new_node("Softmax", "y", ["scores"], T=FLOAT),
    ]
    write_model(folder, nodes, weights)


def _detector(folder: Path) -> None:
    rng = np.random.default_rng(0)
    weights = {
        "axes": np.array([1, 2, 3], np.int32),
        "boxes_of_512": rng.uniform(-20, 20, (1, 512, 16)).astype(np.float32),
        "boxes_of_384": rng.uniform(-20, 20, (1, 384, 16)).astype(np.float32),
        "scores_of_512": rng.normal(-2, 2, (1, 512, 1)).astype(np.float32),
        "scores_of_384": rng.normal(-2, 2, (1, 384, 1)).astype(np.float32),
    }
    mean = new_node("Mean", "mean", ["x", "axes"], T=FLOAT, Tidx=DType.int32, keep_dims=False)
    nodes = [placeholder("x", 1, 256, 256, 3), mean, *(_sum(name) for name in weights if name != "axes")]
    write_model(folder, nodes, weights)


def _sum(weight: str) -> Node:
    """Numbers of the detector: a weight, and the mean of the image."""
    what, _, count = weight.split("_")
    return new_node("AddV2", f"{what}_{'fine' if count == '512' else 'coarse'}", [weight, "mean"], T=FLOAT)
