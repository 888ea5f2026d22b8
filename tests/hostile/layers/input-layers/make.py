"""An input of the model is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.model["input_layers"] = [road.hidden]
    road.write()
