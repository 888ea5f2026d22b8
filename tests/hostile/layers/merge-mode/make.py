"""The merge mode of a Bidirectional is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    gru = {"class_name": "GRU", "config": {"units": 2}}
    road.instead("Bidirectional", layer=gru, merge_mode=road.hidden)
    road.write()
