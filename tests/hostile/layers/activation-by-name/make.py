"""An activation has the name of a helper that stands beside Keras' activations."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["activation"] = "deserialize"
    road.write()
