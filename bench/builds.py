"""Builds, each beside the plain copy of what it wrote."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import measure
from bench.measure import Failed, Usage
from bench.rows import Goal, Row
from bundler.scratch import discard

__all__ = ["Setting", "build", "build_again", "predecessor"]

_PATIENCE = 30
"""Seconds after which a case is not run again, however many runs were asked for."""


@dataclass(frozen=True)
class Setting:
    """How to measure: `runs` of each thing, in an empty folder; the other converter's Python, if any."""

    runs: int
    folder: Path
    picture: Path
    predecessor: str | None = None


def build(case: str, manifest: Path, setting: Setting, *options: str, goals: Sequence[Goal] = ()) -> Row:
    """Build a manifest where nothing stands yet, then copy the result; several times."""
    output, copied = setting.folder / "output", setting.folder / "copy"
    usages, copies = [], []
    for _ in _turns(setting):
        discard(output)
        discard(copied)
        usages.append(_build(manifest, output, options))
        copies.append(measure.copy(output, copied).seconds)
    return Row(case, _beside(usages, copies, _size(output)), tuple(goals))


def build_again(case: str, manifest: Path, setting: Setting, *options: str) -> Row:
    """Build a manifest where its own bundle stands, up to date."""
    output = setting.folder / "output"
    _build(manifest, output, options)
    return Row(case, measure.figures([_build(manifest, output, options) for _ in _turns(setting)]))


def predecessor(models: Mapping[str, Path], setting: Setting, than: Row) -> Iterator[Row]:
    """tfjs-graph-converter on each model by itself, once; nothing where the setting names no Python that has it."""
    if setting.predecessor is None:
        return
    case = "tfjs-graph-converter"
    usages = list(_converted(models, setting.folder / "predecessor", setting.predecessor))
    found = {"models": len(models), "converted": len(usages)}
    if len(usages) < len(models):
        yield Row(case, found, note="no times: a refusal takes less than a conversion")
        return
    seconds, cpu_seconds, own, largest = zip(*usages)
    figures = measure.figures([Usage(sum(seconds), sum(cpu_seconds), max(own), max(largest))])
    yield Row(case, {**figures, **found, "times_ours": figures["seconds"] / than.figures["seconds"]})


def _turns(setting: Setting) -> Iterator[int]:
    started = time.perf_counter()
    for turn in range(setting.runs):
        if turn == 0 or time.perf_counter() - started < _PATIENCE:
            yield turn


def _build(manifest: Path, output: Path, options: Sequence[str]) -> Usage:
    return measure.module("bundler", "build", manifest, "--output", output, "--quiet", *options)


def _converted(models: Mapping[str, Path], folder: Path, interpreter: str) -> Iterator[Usage]:
    """What each conversion took. It exits with 0 after an error, too: only what it wrote tells that it converted."""
    for name, path in models.items():
        output = folder / name
        arguments = (path, output, "--output_format", "tf_saved_model", "--silent")
        with suppress(Failed):
            usage = measure.module("tfjs_graph_converter.converter", *arguments, interpreter=interpreter)
            if (output / "saved_model.pb").is_file():
                yield usage


def _beside(usages: Sequence[Usage], copies: Sequence[float], size: int) -> dict[str, float]:
    found = measure.figures(usages)
    copy_seconds = median(copies)
    times_copy = found["seconds"] / copy_seconds
    return {**found, "copy_seconds": copy_seconds, "times_copy": times_copy, "output_mb": size / 1e6}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
