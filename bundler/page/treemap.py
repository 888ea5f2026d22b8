"""The picture of the weights: a box for each model, in it a box for each layer, with areas in proportion to bytes.

The picture is as wide as the page, so x and width are percents; y and height are pixels, so that text keeps its size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from bundler.page.layers import Layer, Part, parts
from bundler.page.squares import Box, squares

__all__ = ["Plot", "Tile", "Treemap"]

_Sized = TypeVar("_Sized", Layer, Part)

_WIDTH = 1000.0
"""Pixels of the picture on a wide screen. On others the width differs."""
_HEIGHTS = ((4, 160.0), (12, 300.0))
_HEIGHT = 520.0
"""Pixels of the picture, with fewer for so many layers."""
_NARROW = 0.34
"""The width on a phone, as a part of that."""
_HEADER = 20.0
"""Pixels above the layers of a model, for its name."""
_LEAST_PART, _LEAST_LAYER = 900.0, 200.0
"""Square pixels of the smallest model and layer that have a box of their own; smaller ones share one."""
_CHARACTER, _LINE = 6.6, 15.0
"""Pixels of a character, and of a line."""
_LEAST_CHARACTERS = 6
"""Characters that are worth the ink if a label is longer than its box."""
_LISTED = 40
"""Layers of the table beside the picture."""
_HUES = 6


class Tile(NamedTuple):
    """A box with its label; "" if the label does not fit. `narrow`: it fits on a phone too."""

    box: Box
    title: str
    size: int
    label: str
    narrow: bool


class Plot(NamedTuple):
    """The tile of a model, and those of its layers, which lie inside. `hue` is the number of a color."""

    frame: Tile
    layers: tuple[Tile, ...]
    hue: int


@dataclass(frozen=True)
class Treemap:
    """The plots of a bundle; `listed` are the largest layers, each with its part's name."""

    size: int
    count: int
    plots: tuple[Plot, ...]
    listed: tuple[tuple[str, Layer], ...]
    height: float

    @classmethod
    def of(cls, weights: Mapping[str, int]) -> Treemap:
        """The treemap of weights, given their bytes by name."""
        found = parts(weights)
        rows = ((part.name, layer) for part in found for layer in part.layers)
        listed = sorted(rows, key=lambda row: (-row[1].size, row[0], row[1].name))
        size = sum(part.size for part in found)
        height = next((height for most, height in _HEIGHTS if len(listed) <= most), _HEIGHT)
        plots = tuple(_plots(found, size, Box(0.0, 0.0, _WIDTH, height)))
        return cls(size, len(listed), plots, tuple(listed[:_LISTED]), height)


def _plots(found: Sequence[Part], size: int, picture: Box) -> Iterator[Plot]:
    shown = _own_box(found, _LEAST_PART * size / (picture.width * picture.height))
    others = found[len(shown) :]
    if others:
        layers = tuple(Layer(part.name, part.size) for part in others)
        shown = sorted([*shown, Part(f"{len(others):,} smaller", layers)], key=_falling)
    for number, (part, box) in enumerate(zip(shown, squares([part.size for part in shown], picture))):
        yield Plot(_tile(box, part.name or "top level", part.size), tuple(_layers(part, box)), number % _HUES)


def _layers(part: Part, box: Box) -> Iterator[Tile]:
    """The tiles of a model's layers, below its name if there is room for that."""
    header = _HEADER if box.height > 2 * _HEADER and box.width > 2 * _HEADER else 0.0
    room = Box(0.0, header, box.width, box.height - header)
    least = _LEAST_LAYER * part.size / (room.width * room.height)
    shown = _own_box(part.layers, least)
    others = part.layers[len(shown) :]
    if others:
        shown = sorted([*shown, Layer(f"{len(others):,} smaller", sum(layer.size for layer in others))], key=_falling)
    for layer, inner in zip(shown, squares([layer.size for layer in shown], room)):
        tile = _tile(inner, layer.name, layer.size, layer.short)
        yield tile if header else tile._replace(label="")  # the model's name lies on the tiles


def _falling(row: Part | Layer) -> int:
    return -row.size


def _own_box(rows: Sequence[_Sized], least: float) -> list[_Sized]:
    """The rows from the largest one on that are large enough, or whose only smaller one is the last."""
    large = [row for row in rows if row.size >= least]
    return list(rows) if len(rows) - len(large) <= 1 else large


def _tile(box: Box, title: str, size: int, short: str = "") -> Tile:
    label, room = short or title, int((box.width - 8) / _CHARACTER)
    fits = box.height >= _LINE and room >= min(len(label), _LEAST_CHARACTERS)
    on_phones = int((box.width * _NARROW - 8) / _CHARACTER) >= min(len(label), _LEAST_CHARACTERS)
    return Tile(box, title, size, _cut(label, room) if fits else "", on_phones)


def _cut(label: str, most: int) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"
