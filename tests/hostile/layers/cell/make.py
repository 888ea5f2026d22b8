"""The cell of an RNN is a Lambda."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("RNN", cell=road.code)
    road.write()
