"""The name of a layer's place in its model is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.layer["name"] = road.hidden
    road.write()
