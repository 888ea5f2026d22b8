"""Builds, each beside the plain copy of what it wrote."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import manifests, measure
from bench.measure import Usage
from bench.rows import Goal, Row
from bundler.disk.scratch import discard

__all__ = ["Setting", "build", "build_again", "bundle", "conversions", "predecessor"]

_PATIENCE = 30
"""Seconds after which a case is not run again, however many runs were asked for."""


@dataclass(frozen=True)
class Setting:
    """How to measure: `runs` of each thing, in an empty folder; the other converter's Python, if any."""

    runs: int
    folder: Path
    picture: Path
    predecessor: str | None = None


def build(
    case: str,
    manifest: Path,
    setting: Setting,
    *options: str,
    goals: Sequence[Goal] = (),
    processors: int | None = None,
) -> Row:
    """Build a manifest anew, then copy the result; several times. On all processors, or so many."""
    output, copied = setting.folder / "output", setting.folder / "copy"
    usages, copies = [], []
    for _ in _turns(setting):
        discard(output)
        discard(copied)
        usages.append(_build(manifest, output, options, processors))
        copies.append(measure.copy(output, copied).seconds)
    return Row(case, _beside(usages, copies, _size(output)), tuple(goals))


def build_again(case: str, manifest: Path, setting: Setting, *options: str, goals: Sequence[Goal] = ()) -> Row:
    """Build a manifest whose bundle is up to date."""
    output = setting.folder / "output"
    _build(manifest, output, options)
    return Row(case, measure.figures([_build(manifest, output, options) for _ in _turns(setting)]), tuple(goals))


def conversions(case: str, manifest: Path, jobs: int, setting: Setting) -> Row:
    """Convert the models of a manifest by so many jobs, each time in a fresh process, and write nothing."""
    note, usages = setting.folder / "conversions", []
    for _ in _turns(setting):
        measure.module("bench.conversions", note, manifest, jobs)
        seconds, cpu_seconds = map(float, note.read_text().split())
        usages.append(Usage(seconds, cpu_seconds))
    return Row(case, {key: figure for key, figure in measure.figures(usages).items() if not key.endswith("_mb")})


def predecessor(models: Mapping[str, Path], setting: Setting, than: Row, times: float) -> Iterator[Row]:
    """tfjs-graph-converter on all models in one process, once; no row if the setting names no Python that has it.

    The goal is to take at most one of so many `times` of its own.
    """
    if setting.predecessor is None:
        return
    folder = setting.folder / "predecessor"
    usage = measure.module("bench.predecessor", folder, *models.values(), interpreter=setting.predecessor)
    converted = sum((folder / path.stem / "saved_model.pb").is_file() for path in models.values())
    found = {**measure.figures([usage]), "models": len(models), "converted": converted}
    if not converted:
        yield Row("tfjs-graph-converter", found, note="no comparison: a refusal takes less than a conversion")
        return
    figures = {**found, "times_ours": usage.seconds / than.figures["seconds"]}
    yield Row("tfjs-graph-converter", figures, (Goal("times_ours", times, at_least=True),))


def bundle(folder: Path, models: Mapping[str, object], **settings: str) -> Path:
    """Build a bundle of these sources, in place of the folder, to look at it."""
    folder.parent.mkdir(exist_ok=True)
    discard(folder)
    manifest = manifests.write(folder.parent / f"{folder.name}.toml", models, **settings)
    _build(manifest, folder, ["--no-check"])
    return folder


def _turns(setting: Setting) -> Iterator[int]:
    started = time.perf_counter()
    for turn in range(setting.runs):
        if turn == 0 or time.perf_counter() - started < _PATIENCE:
            yield turn


def _build(manifest: Path, output: Path, options: Sequence[str], processors: int | None = None) -> Usage:
    arguments = ("build", manifest, "--output", output, "--quiet", *options)
    return measure.module("bundler", *arguments, processors=processors)


def _beside(usages: Sequence[Usage], copies: Sequence[float], size: int) -> dict[str, float]:
    found = measure.figures(usages)
    copy_seconds = median(copies)
    times_copy = found["seconds"] / copy_seconds
    return {**found, "copy_seconds": copy_seconds, "times_copy": times_copy, "output_mb": size / 1e6}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
