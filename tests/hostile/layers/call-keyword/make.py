"""A keyword argument of a call is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.layer["inbound_nodes"] = [[["x", 0, 0, {"training": road.hidden}]]]
    road.write()
