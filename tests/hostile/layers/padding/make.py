"""A padding is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("ZeroPadding2D", padding=[[1, 1], road.hidden])
    road.write()
