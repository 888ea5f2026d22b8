"""A tuple in the form of Keras' JSON hook."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.input["config"]["batch_input_shape"] = {"class_name": "__tuple__", "items": [None, road.hidden]}
    road.write()
