"""One of stacked cells is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    road.instead("RNN", cell={"class_name": "StackedRNNCells", "config": {"cells": [road.stack]}})
    road.write()
