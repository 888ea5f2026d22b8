"""The outputs are an object with a model in it."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.model["output_layers"] = {"y": ["y", 0, road.hidden]}
    road.write()
