"""Wrappers in wrappers, three hundred deep."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    entry = {"class_name": "Dense", "config": {"units": 3}}
    for _ in range(300):
        entry = {"class_name": "TimeDistributed", "config": {"layer": entry}}
    road.layer.update(entry)
    road.write()
