"""What an object graph costs a call from Python, and whether answers stay: beside the plain graph, in turns.

With oneDNN, which packs filters that are constants of a function, and without. Figures are medians of processes: where
a process has its weights in memory changes the time of a call by up to a fifth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench import measure
from bench.builds import Setting
from bench.loaded import written_calls
from bench.rows import Goal, Row
from bench.use import side_by_side
from bench.weights import ONEDNN

__all__ = ["compared", "latency"]

_MODELS = 20
_PROCESSES = 3
"""For each of the setting's runs."""
_ROUNDS = 20
"""Calls of each signature in a process."""
_GOALS = {
    "constants": (Goal("times_plain", 1.04), Goal("worst_times_plain", 1.15)),
    "variables": (Goal("times_plain", 1.0),),
}


def latency(setting: Setting) -> Iterator[Row]:
    """A row for each way to hold weights, and oneDNN or not."""
    for weights, goals in _GOALS.items():
        folders = side_by_side(_MODELS, weights, setting)
        for onednn, environment in ONEDNN.items():
            case = f"{_MODELS} models, {weights}, {onednn}"
            yield replace(compared(folders, setting, **environment), case=case, goals=goals)


def compared(folders: Sequence[Path], setting: Setting, **environment: str) -> Row:
    """The second bundle beside the first, the plain one, over all signatures."""
    calls, note = written_calls(folders[0], setting), setting.folder / "turns"
    times: dict[str, list[float]] = {}
    distances: dict[str, float] = {}
    for _ in range(setting.runs * _PROCESSES):
        measure.module("bench.turns", note, calls, _ROUNDS, *folders, environment=environment)
        for key, ((plain, _), (ours, distance)) in json.loads(note.read_text()).items():
            times.setdefault(key, []).append(ours / plain)
            distances[key] = max(distance, distances.get(key, 0))
    typical = {key: median(each) for key, each in times.items()}
    figures = {
        "times_plain": median(typical.values()),
        "worst_times_plain": max(typical.values()),
        "equal_answers": [*distances.values()].count(0),
        "largest_difference": max(distances.values()),
    }
    return Row("", figures, note=f"the worst is {max(typical, key=typical.__getitem__)}")
