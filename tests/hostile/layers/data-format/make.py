"""A data format is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("Flatten", data_format=road.hidden)
    road.write()
