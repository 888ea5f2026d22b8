"""An array in the form of Keras' deserializer."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["units"] = {"class_name": "__numpy__", "config": {"value": [road.hidden], "dtype": "object"}}
    road.write()
