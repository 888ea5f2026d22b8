"""A size of a Reshape's target is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("Reshape", target_shape=[road.hidden])
    road.write()
