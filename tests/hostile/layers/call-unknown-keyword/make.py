"""A keyword that no layer takes, for a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.layer["inbound_nodes"] = [[["x", 0, 0, {"function": road.hidden}]]]
    road.write()
