"""An option of one of stacked cells is a model."""

from pathlib import Path

from tests.hostile.layers.roads import Road


def make(project: Path) -> None:
    road = Road(project)
    cell = {"class_name": "GRUCell", "config": {"units": road.hidden}}
    road.instead("RNN", cell={"class_name": "StackedRNNCells", "config": {"cells": [cell]}})
    road.write()
