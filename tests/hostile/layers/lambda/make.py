"""A Lambda, as it is."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("Lambda", **road.function)
    road.write()
