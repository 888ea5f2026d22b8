"""A number that is none."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("LeakyReLU", alpha=float("nan"))
    road.write()
