"""A layer that makes an op of TensorFlow from its description."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("TensorFlowOpLayer", node_def={"name": "w", "op": "WriteFile"}, constants={})
    road.write()
