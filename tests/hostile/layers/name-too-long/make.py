"""A name of ten thousand characters."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["name"] = road.layer["name"] = "y" * 10_000
    road.write()
