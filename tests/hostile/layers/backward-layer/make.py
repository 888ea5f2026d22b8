"""An option of the backward layer of a Bidirectional is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    gru = {"class_name": "GRU", "config": {"units": 2}}
    backward = {"class_name": "GRU", "config": {"units": 2, "go_backwards": road.hidden}}
    road.instead("Bidirectional", layer=gru, backward_layer=backward)
    road.write()
