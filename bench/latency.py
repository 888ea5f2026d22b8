"""What an object graph costs a call from Python, and whether answers stay: beside the plain graph, in turns.

With oneDNN, which packs filters that are constants of a function, and without.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench import measure
from bench.builds import Setting, bundle
from bench.loaded import written_calls
from bench.rows import Goal, Row
from bench.use import OURS, human_models
from bench.weights import ONEDNN

__all__ = ["compared", "latency"]

_MODELS = 20
_ROUNDS = 20
"""Calls of each signature for each of the setting's runs."""
_GOALS = {
    "constants": (Goal("times_plain", 1.04), Goal("worst_times_plain", 1.15)),
    "variables": (Goal("times_plain", 1.0),),
}


def latency(setting: Setting) -> Iterator[Row]:
    """A row for each way to hold weights, and oneDNN or not."""
    sources = human_models(_MODELS)
    for weights, goals in _GOALS.items():
        folders = [
            bundle(setting.folder / f"{weights}-{choice}", sources, weights=weights, object_graph=choice)
            for choice in reversed(OURS.values())
        ]
        for onednn, value in ONEDNN.items():
            case = f"{_MODELS} models, {weights}, {onednn}"
            yield replace(compared(folders, setting, TF_ENABLE_ONEDNN_OPTS=value), case=case, goals=goals)


def compared(folders: Sequence[Path], setting: Setting, **environment: str) -> Row:
    """The second bundle beside the first, the plain one, over all signatures."""
    calls, note = written_calls(folders[0], setting), setting.folder / "turns"
    measure.module("bench.turns", note, calls, setting.runs * _ROUNDS, *folders, environment=environment)
    found = json.loads(note.read_text())
    times = {key: second / first for key, ((first, _), (second, _)) in found.items()}
    distances = [distance for _, (_, distance) in found.values()]
    figures = {
        "times_plain": median(times.values()),
        "worst_times_plain": max(times.values()),
        "equal_answers": distances.count(0),
        "largest_difference": max(distances),
    }
    return Row("", figures, note=f"the worst is {max(times, key=times.__getitem__)}")
