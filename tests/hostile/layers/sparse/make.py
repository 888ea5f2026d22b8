"""A setting of which one value is known, and which is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.input["config"]["sparse"] = road.hidden
    road.write()
