"""An integer of four thousand digits."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.config["units"] = 10**4000
    road.write()
