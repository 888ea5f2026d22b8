"""The name in a dtype's configuration is an object: the smallest form of the road."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["dtype"] = {"config": {"name": road.hidden}}
    road.write()
