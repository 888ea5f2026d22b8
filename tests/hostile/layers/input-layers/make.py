"""The number of an input's tensor is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.model["input_layers"] = [["x", 0, road.hidden]]
    road.write()
