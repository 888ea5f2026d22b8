"""A call is an object, as in Keras 3, whose tensors are a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.layer["inbound_nodes"] = [{"args": [road.hidden], "kwargs": {}}]
    road.write()
