"""A type specification, which Keras' JSON hook makes."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.input["config"]["type_spec"] = {
        "class_name": "TypeSpec",
        "type_spec": "tf.TensorSpec",
        "serialized": [road.hidden],
    }
    road.write()
