"""A Lambda in a Sequential of old, whose configuration is a list."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.document["modelTopology"]["model_config"] = {"class_name": "Sequential", "config": [road.code]}
    road.write()
