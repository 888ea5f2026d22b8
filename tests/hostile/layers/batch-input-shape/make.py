"""A size of an input is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.input["config"]["batch_input_shape"] = [None, road.hidden]
    road.write()
