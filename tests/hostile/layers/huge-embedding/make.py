"""An embedding of more numbers than TensorFlow can count."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("Embedding", input_dim=2**31, output_dim=2**31)
    road.write()
