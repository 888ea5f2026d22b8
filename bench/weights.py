"""Weights as constants and as variables, by their size: what `weights = "auto"` has to choose between.

Each is loaded and called in C and in Python, with oneDNN, which packs constants for its kernels, and without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path

from bench import manifests, models
from bench.builds import Setting, bundle
from bench.loaded import LOADERS, loaded
from bench.rows import Row
from bench.use import human_models

__all__ = ["ONEDNN", "SIZES", "measured", "weights"]

ONEDNN = {"oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "1"}, "no oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"}}
"""The environments of a process that has oneDNN, and of one that has not."""


def weights(setting: Setting) -> Iterator[Row]:
    """A row for each size, way to hold weights, loader, and oneDNN or not."""
    for size, held in product(SIZES, ("constants", "variables")):
        yield from measured(size, held, setting)


def measured(size: int, held: str, setting: Setting) -> Iterator[Row]:
    """The rows of one bundle."""
    folder = bundle(setting.folder / "bundle", SIZES[size](setting.folder), weights=held)
    for loader, (onednn, environment) in product(LOADERS, ONEDNN.items()):
        case = f"{size} MB, {held}, {loader}, {onednn}"
        yield loaded(case, folder, loader, setting, **environment)


def _alone(name: str) -> Mapping[str, object]:
    return {name: manifests.npm_source(manifests.human_models()[name])}


def _generated(scratch: Path) -> Mapping[str, object]:
    """A model of 64 large products."""
    folder = scratch / "generated"
    return {"generated": folder / "model.json" if folder.exists() else models.write_weights(folder, 64)}


SIZES: Mapping[int, Callable[[Path], Mapping[str, object]]] = {
    5: lambda _: _alone("posenet"),
    19: lambda _: human_models(5),
    54: lambda _: _alone("blazepose-heavy"),
    126: lambda _: human_models(20),
    302: lambda _: human_models(40),
    1074: _generated,
}
"""The sources of so many MB of weights, given a scratch folder."""
