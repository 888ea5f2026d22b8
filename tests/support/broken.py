"""Bundles that are not what was built."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from bundler.outputs.savedmodel import FILE
from tests.support.saved import read

__all__ = ["changed"]


def changed(bundle: Path, copy: Path, weight: str, by: float = 0.5) -> Path:
    """A copy of a bundle, in which one value of a weight is another."""
    shutil.copytree(bundle, copy)
    saved = read(copy)
    (tensor,) = (
        node.attr["value"].tensor
        for node in saved.meta_graphs[0].graph_def.node
        if node.op == "Const" and node.name == weight
    )
    values = np.frombuffer(tensor.tensor_content, np.float32).copy()
    values[len(values) // 2] += by
    tensor.tensor_content = values.tobytes()
    (copy / FILE).write_bytes(saved.SerializeToString())
    return copy
