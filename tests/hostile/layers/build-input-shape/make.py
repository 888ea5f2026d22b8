"""A size of the shape that a Sequential was built with is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    topology, dense = road.document["modelTopology"], {"class_name": "Dense", "config": {"name": "y", "units": 3}}
    config = {"name": "m", "layers": [dense], "build_input_shape": [None, road.hidden]}
    topology["model_config"] = {"class_name": "Sequential", "config": config}
    road.write()
