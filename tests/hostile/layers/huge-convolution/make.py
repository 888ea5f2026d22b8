"""A convolution with more filters than the model has weights."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("Conv2D", filters=2 * 10**9, kernel_size=3)
    road.write()
