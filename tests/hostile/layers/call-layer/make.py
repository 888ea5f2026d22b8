"""The layer that a tensor comes from is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.layer["inbound_nodes"] = [[[road.hidden, 0, 0, {}]]]
    road.write()
