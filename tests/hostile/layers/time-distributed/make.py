"""An option of the layer of a TimeDistributed is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("TimeDistributed", layer={"class_name": "Dense", "config": {"units": road.hidden}})
    road.write()
