"""Two layers that wait for each other: Keras never ends."""

from pathlib import Path

from tests.hostile.layers.roads import Road, layer


def make(project: Path) -> None:
    road = Road(project)
    road.layer["inbound_nodes"] = [[["z", 0, 0, {}]]]
    road.model["layers"].append(layer("Flatten", "z", [["y", 0, 0, {}]]))
    road.write()
