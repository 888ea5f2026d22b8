"""A number in the history of a tensor, as Keras 3 writes it, is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.document["modelTopology"]["keras_version"] = "3.5.0"
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, road.hidden]}}
    road.layer["inbound_nodes"] = [{"args": [tensor], "kwargs": {}}]
    road.write()
