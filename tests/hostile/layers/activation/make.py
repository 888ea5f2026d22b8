"""An option of a layer in the place of an activation is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["activation"] = {"class_name": "ReLU", "config": {"max_value": road.hidden}}
    road.write()
