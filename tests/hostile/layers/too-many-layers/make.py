"""Ten thousand layers."""

from pathlib import Path

from tests.hostile.layers.roads import Road, layer


def make(project: Path) -> None:
    road = Road(project)
    road.model["layers"] += [layer("Flatten", f"f{at}", [["x", 0, 0, {}]]) for at in range(10_000)]
    road.write()
