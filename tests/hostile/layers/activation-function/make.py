"""An activation is a function's configuration with a Lambda's code."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["activation"] = {"class_name": "__lambda__", "config": {"value": road.function["function"]}}
    road.write()
