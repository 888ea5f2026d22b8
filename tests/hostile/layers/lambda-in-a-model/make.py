"""A Lambda in a model in the model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.layer.update({"class_name": "Sequential", "config": {"name": "y", "layers": [road.code]}})
    road.write()
