"""What an object graph costs a server, which does not look at it: beside the plain graph, in turns.

A server parses the object graph with the bundle, and holds its functions. Figures are medians, as times of plain ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.builds import Setting
from bench.loaded import once, written_calls
from bench.rows import Goal, Row
from bench.use import side_by_side

__all__ = ["loads", "opened"]

_MODELS = 20
_TURNS = 3
"""For each of the setting's runs."""
_FIGURES = ("load_cpu_seconds", "first_cpu_seconds", "loaded_mb", "called_mb")
_GOALS = tuple(Goal(figure, 1.15) for figure in ("load_cpu_seconds", "loaded_mb", "called_mb"))


def loads(setting: Setting) -> Iterator[Row]:
    """A row for each way to hold weights."""
    for weights in ("constants", "variables"):
        row = opened(side_by_side(_MODELS, weights, setting), setting)
        yield replace(row, case=f"{_MODELS} models, {weights}, times plain", goals=_GOALS)


def opened(folders: Sequence[Path], setting: Setting) -> Row:
    """The second bundle beside the first, the plain one, in C."""
    calls = written_calls(folders[0], setting)
    turns = [[once(folder, "c", calls, setting) for folder in folders] for _ in range(setting.runs * _TURNS)]
    plain, ours = ({figure: median(each[figure] for each in runs) for figure in _FIGURES} for runs in zip(*turns))
    return Row("", {figure: ours[figure] / plain[figure] for figure in _FIGURES})
