"""The shape that a Sequential was built with is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    topology = road.document["modelTopology"]
    topology["model_config"] = {
        "class_name": "Sequential",
        "config": {"name": "m", "layers": [], "build_input_shape": road.hidden},
    }
    road.write()
