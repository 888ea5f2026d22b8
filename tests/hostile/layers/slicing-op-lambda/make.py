"""A layer that calls a function of Python's operators by its name."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("SlicingOpLambda", function="__operators__.getitem")
    road.write()
