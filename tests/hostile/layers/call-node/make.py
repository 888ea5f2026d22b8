"""The number of a call is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.layer["inbound_nodes"] = [[["x", road.hidden, 0, {}]]]
    road.write()
