"""An integer where a floating-point number belongs, larger than any of those."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("LeakyReLU", alpha=10**400)
    road.write()
