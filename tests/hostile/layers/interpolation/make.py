"""An interpolation is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("UpSampling2D", interpolation=road.hidden)
    road.write()
