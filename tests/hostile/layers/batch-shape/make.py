"""The shape of an input, by Keras 3's name, is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    del road.input["config"]["batch_input_shape"]
    road.input["config"]["batch_shape"] = road.hidden
    road.write()
