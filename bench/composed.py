"""Composed signatures: one call beside calls of the models' own signatures, and what a build of them costs.

A client without composed signatures sends tensors, and computes between the calls what the steps compute in the graph;
that work is not counted here, so the times of single calls are the least that they can take.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

import bundler
from bench.builds import Setting
from bench.measure import ROOT
from bench.rows import Row
from bundler import manifest, sources
from bundler.bundle import Bundle, Endpoint
from bundler.manifest import Manifest
from bundler.manifest.steps import CallStep
from bundler.runtimes.tensorflow import Runtime

__all__ = ["composed"]

_EXAMPLES = {"posenet": 1, "emotion": 1, "faces": 10, "selfie": 1}
"""Examples, with the entries of a batch that is open: faces.toml keeps ten faces, and measures all of them."""
_PHOTOGRAPH = "npm:@vladmandic/human@3.3.6/models/blazeface.json"
"""A package that has a photograph beside this model."""
_KEY = "serving_default"
_WARM_UP = 3
_CALLS = 4
"""Calls for each of the setting's runs."""

Feeds = Mapping[str, np.ndarray]


def composed(setting: Setting) -> Iterator[Row]:
    """Two rows for each example: a call, and a build. Bytes are those of the inputs."""
    photograph = (sources.find(_PHOTOGRAPH, Path()).parents[1] / "assets" / "samples.jpg").read_bytes()
    for name, batch in _EXAMPLES.items():
        spec = manifest.read(ROOT / "examples" / f"{name}.toml")
        yield _calls(name, spec, photograph, batch, setting)
        yield _builds(name, spec, setting)


def _calls(name: str, spec: Manifest, photograph: bytes, batch: int, setting: Setting) -> Row:
    """Milliseconds of the composed call, and of the calls in it, in turn."""
    folder = setting.folder / name
    bundler.build(spec, output=folder)
    bundle = Bundle.open(folder)
    whole = bundle.endpoint(_KEY)
    (entry,) = whole.signature.inputs
    image = np.array([photograph] if whole.signature.inputs[entry].shape else photograph, object)
    parts = [(each, _tensors(each, batch)) for each in map(bundle.endpoint, _called(spec))]
    one, single = _in_turn(whole, {entry: image}, parts, setting.runs * _CALLS)
    figures = {
        "milliseconds": one * 1000,
        "model_calls_milliseconds": single * 1000,
        "calls": float(len(parts)),
        "kilobytes_sent": len(photograph) / 1000,
        "model_calls_kilobytes_sent": sum(value.nbytes for _, feeds in parts for value in feeds.values()) / 1000,
    }
    return Row(f"{name}, call", figures)


def _called(spec: Manifest) -> list[str]:
    """The signatures that the composed one calls."""
    return [step.call for step in spec.composed[0].steps if isinstance(step, CallStep)]


def _tensors(endpoint: Endpoint, batch: int) -> Feeds:
    """Numbers for a model's inputs, which are float32; an open first size is `batch`."""
    return {
        name: np.random.default_rng(0).random([size or batch for size in spec.shape or ()], np.float32)
        for name, spec in endpoint.signature.inputs.items()
    }


def _in_turn(whole: Endpoint, feeds: Feeds, parts: list[tuple[Endpoint, Feeds]], count: int) -> tuple[float, float]:
    """The median seconds of one call, and of all calls of the parts. Both meet the same machine."""
    with Runtime() as runtime:
        found = [
            (
                _seconds(lambda: whole.call(runtime, feeds)),
                _seconds(lambda: [endpoint.call(runtime, values) for endpoint, values in parts]),
            )
            for _ in range(_WARM_UP + count)
        ]
    one, single = map(median, zip(*found[_WARM_UP:]))
    return one, single


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _builds(name: str, spec: Manifest, setting: Setting) -> Row:
    """Seconds and size of a build with the composed signature, and of one without, in turn."""
    both = {"with": spec, "without": replace(spec, composed=(), labels=(), checks=())}
    seconds: dict[str, list[float]] = {case: [] for case in both}
    for _ in range(setting.runs + 1):
        for case, each in both.items():
            folder = setting.folder / f"{name}-{case}"
            seconds[case].append(_seconds(lambda: bundler.build(each, output=folder, force=True)))  # noqa: B023
    sizes = {case: _size(setting.folder / f"{name}-{case}") for case in both}
    figures = {
        "seconds": median(seconds["with"][1:]),
        "fastest": min(seconds["with"][1:]),
        "slowest": max(seconds["with"][1:]),
        "seconds_without": median(seconds["without"][1:]),
        "kilobytes": sizes["with"] / 1000,
        "kilobytes_without": sizes["without"] / 1000,
    }
    return Row(f"{name}, build", figures)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
