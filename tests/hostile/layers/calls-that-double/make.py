"""Models in models, each of which calls the next one ten times: ten to the ninth calls."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    made = road.document["modelTopology"]["model_config"]
    for _ in range(9):
        calls = [[["x", 0, 0, {}]], *([["y", at, 0, {}]] for at in range(1, 10))]
        config = {
            **road.model,
            "layers": [road.input, {**made, "name": "y", "inbound_nodes": calls}],
            "output_layers": [["y", 10, 0]],
        }
        made = {"class_name": "Functional", "config": config}
    road.document["modelTopology"]["model_config"] = made
    road.write()
