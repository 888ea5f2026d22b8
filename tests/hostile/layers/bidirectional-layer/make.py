"""An option of a Bidirectional's layer is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("Bidirectional", layer={"class_name": "GRU", "config": {"units": road.hidden}})
    road.write()
