"""The treemap of the weights: boxes in proportion to bytes, inside each other, and none on another."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from bundler.page.layers import parts
from bundler.page.squares import Box, squares
from bundler.page.treemap import Treemap

PAPER = Box(0, 0, 6, 4)


def test_the_example_of_the_paper() -> None:
    boxes = squares([6, 6, 4, 3, 2, 2, 1], PAPER)
    assert [tuple(round(value, 2) for value in box) for box in boxes] == [
        (0, 0, 3, 2),
        (0, 2, 3, 2),
        (3, 0, 1.71, 2.33),
        (4.71, 0, 1.29, 2.33),
        (3, 2.33, 1.2, 1.67),
        (4.2, 2.33, 1.2, 1.67),
        (5.4, 2.33, 0.6, 1.67),
    ]


@pytest.mark.parametrize(
    "sizes",
    [[], [5.0], [1.0] * 7, [1e6, 1.0], sorted((random.Random(7).expovariate(1) for _ in range(80)), reverse=True)],
    ids=["none", "one", "equal", "far apart", "many"],
)
def test_boxes_fill_the_room_and_do_not_overlap(sizes: list[float]) -> None:
    room = Box(3, 5, 1000, 520)
    boxes = squares(sizes, room)
    scale = room.width * room.height / sum(sizes) if sizes else 0
    assert [box.width * box.height for box in boxes] == pytest.approx([size * scale for size in sizes])
    for box in boxes:
        assert box.x >= room.x - 1e-6 and box.x + box.width <= room.x + room.width + 1e-6
        assert box.y >= room.y - 1e-6 and box.y + box.height <= room.y + room.height + 1e-6
    for one, other in combinations(boxes, 2):
        across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
        down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
        assert across < 1e-6 or down < 1e-6


def test_weights_are_grouped_by_model_and_layer() -> None:
    weights = {
        "cat/conv/kernel": 30,
        "cat/conv/bias/ReadVariableOp": 10,
        "cat/unknown_7": 5,
        "cat/empty": 0,
        "dog/model/a": 50,
        "alone": 1,
    }
    assert [(part.name, [(layer.name, layer.size) for layer in part.layers]) for part in parts(weights)] == [
        ("dog", [("model", 50)]),
        ("cat", [("conv", 40), ("unknown_7", 5)]),
        ("", [("alone", 1)]),
    ]


def test_a_scope_of_many_weights_is_no_layer() -> None:
    found = parts({f"cat/model/w{number}": 100 - number for number in range(17)})
    assert [layer.name for layer in found[0].layers] == [f"model/w{number}" for number in range(17)]


def test_small_models_and_layers_share_a_box() -> None:
    weights = {"cat/large/w": 10**6} | {f"dog{number}/w": 1 for number in range(50)}
    treemap = Treemap.of(weights)
    assert [(plot.frame.title, plot.frame.size) for plot in treemap.plots] == [("cat", 10**6), ("50 smaller", 50)]
    layers = Treemap.of({"cat/large/w": 10**6} | {f"cat/small{number}/w": 1 for number in range(50)}).plots[0].layers
    assert [(tile.title, tile.size) for tile in layers] == [("large", 10**6), ("50 smaller", 50)]


def test_a_label_is_as_long_as_its_box() -> None:
    weights = {"a-model-with-a-long-name/w/kernel": 9 * 10**5, "b-small/layer-with-a-long-name/kernel": 5000}
    large, small = Treemap.of(weights).plots
    assert (large.frame.label, large.layers[0].label) == ("a-model-with-a-long-name", "w")
    assert small.frame.box.width < 40
    assert (small.frame.label, small.layers[0].label) == ("", "")


def test_a_bundle_of_any_size_has_few_boxes() -> None:
    treemap = Treemap.of({f"model{number % 97}/layer{number}/w": 1 + number % 1000 for number in range(100_000)})
    assert 97 <= sum(len(plot.layers) for plot in treemap.plots) < 2700
    assert len(treemap.listed) == 40
    assert Treemap.of({}).plots == ()
