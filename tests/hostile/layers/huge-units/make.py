"""A layer whose weights would take 24 GB."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["units"] = 10**9
    road.write()
