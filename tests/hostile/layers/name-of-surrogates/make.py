"""A name with half of a character."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["name"] = road.layer["name"] = "\ud800"
    road.write()
