"""A field that the layer does not have."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["function"] = road.hidden
    road.write()
