"""An input of more elements than TensorFlow can count: it would crash."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.input["config"]["batch_input_shape"] = [None, 10**5, 10**5]
    road.write()
