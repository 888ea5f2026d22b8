"""A layer that calls a function of TensorFlow by its name."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("TFOpLambda", function="io.write_file")
    road.write()
