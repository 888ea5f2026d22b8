"""The layer of a TimeDistributed is a model with a Lambda."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("TimeDistributed", layer=road.stack)
    road.write()
