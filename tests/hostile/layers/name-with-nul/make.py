"""A name with a NUL in it."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["name"] = road.layer["name"] = "y\0z"
    road.write()
