"""A dtype policy, as Keras 3 writes it, whose name is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["dtype"] = {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": road.hidden},
        "registered_name": None,
    }
    road.write()
