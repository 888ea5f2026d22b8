"""A constant in place of a tensor, which Keras decodes."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.layer["inbound_nodes"] = [[["_CONSTANT_VALUE", -1, ["_COMPOSITE_TYPE", road.hidden], {}]]]
    road.write()
