"""An activation is a function of a module of Python."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["activation"] = {
        "class_name": "function",
        "config": "system",
        "module": "os",
        "registered_name": "system",
    }
    road.write()
