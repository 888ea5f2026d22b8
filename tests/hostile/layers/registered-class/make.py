"""A class of a module by its name."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.layer.update({"class_name": "Popen", "module": "subprocess", "registered_name": "subprocess>Popen"})
    road.write()
