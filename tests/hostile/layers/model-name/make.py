"""The model's name is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.model["name"] = road.hidden
    road.write()
