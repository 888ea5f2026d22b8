"""Layers that change the shape: axes, padding, cropping.

Sources: tfjs-layers/src/layers/core.ts, padding.ts and convolutional.ts,
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/reshaping,
`keras/src/layers/reshaping` of Keras 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from bundler.drafting.tensors import check_rank, expand, pad, reshape, size, sizes, slice_, times, transpose
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.ir.shapes import shown
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.kinds.spatial.windows import channels_last

__all__ = ["LAYERS"]

_Pairs = tuple[tuple[int, int], ...]


def _flatten(scope: Scope, x: Value, *, data_format: str) -> Value:
    """All axes but the first as one; the channels stand last before."""
    x = channels_last(scope, x, data_format) if x.rank > 1 else x
    batch, *rest = sizes(scope, x)
    return reshape(scope, x, (batch, times(scope, *rest)))


def _reshape(scope: Scope, x: Value, *, target_shape: tuple[int, ...]) -> Value:
    """Other axes behind the first one; one size may follow from the others."""
    elements = None if None in x.shape[1:] else math.prod(each or 0 for each in x.shape[1:])
    known = math.prod(each for each in target_shape if each != -1)
    if not _fits(target_shape, known, elements):
        expected = f"a shape that makes {list(target_shape)}"
        raise ConversionError("the layer's input does not fit its shape", found=shown(x.shape), expected=expected)
    batch = size(scope, x, 0)
    if elements is None:
        return reshape(scope, x, (batch, *target_shape))
    return reshape(scope, x, (batch, *(elements // known if each == -1 else each for each in target_shape)))


def _fits(target: tuple[int, ...], known: int, elements: int | None) -> bool:
    """Whether so many elements make the target, whose known sizes have the product `known`."""
    if -1 not in target:
        return elements in (None, known)
    return target.count(-1) == 1 and (elements is None or (known > 0 and elements % known == 0))


def _permute(scope: Scope, x: Value, *, dims: tuple[int, ...]) -> Value:
    """The axes behind the first one in another order, counted from 1."""
    check_rank(x, len(dims) + 1)
    if sorted(dims) != [*range(1, x.rank)]:
        expected = f"1 to {x.rank - 1}, each once"
        raise ConversionError("the axes are not in an order", found=str(list(dims)), expected=expected)
    return transpose(scope, x, (0, *dims))


def _repeat_vector(scope: Scope, x: Value, *, n: int) -> Value:
    """A series of the same vector."""
    check_rank(x, 2)
    shape = (x.shape[0], n, x.shape[1])
    return scope.op("Tile", expand(scope, x, 1), scope.constant([1, n, 1], "Tile/multiples"), shape=shape)


def _zero_padding(scope: Scope, x: Value, *, padding: _Pairs, data_format: str) -> Value:
    """Zeros around an image."""
    check_rank(x, len(padding) + 2)
    return pad(scope, x, _around(padding, data_format))


def _cropping(scope: Scope, x: Value, *, cropping: _Pairs, data_format: str = "channels_last") -> Value:
    """An image without its edges."""
    check_rank(x, len(cropping) + 2)
    around = _around(cropping, data_format)
    kept = [known is None or known > sum(cut) for known, cut in zip(x.shape, around)]
    if not all(kept):
        expected = f"more than is cropped, {around}"
        raise ConversionError("the layer leaves nothing of the image", found=shown(x.shape), expected=expected)
    return slice_(scope, x, [before for before, _ in around], [-after or None for _, after in around])


def _repeat(scope: Scope, x: Value, *, size: tuple[int, ...], data_format: str = "channels_last") -> Value:
    """A series or a volume with each step so many times."""
    check_rank(x, len(size) + 2)
    first = 2 if data_format == "channels_first" else 1
    for axis, times_each in enumerate(size, start=first):
        x = _repeated_along(scope, x, axis, times_each)
    return x


def _repeated_along(scope: Scope, x: Value, axis: int, count: int) -> Value:
    before, after = sizes(scope, x)[: axis + 1], sizes(scope, x)[axis + 1 :]
    apart = expand(scope, x, axis + 1)
    shape = (*apart.shape[: axis + 1], count, *apart.shape[axis + 2 :])
    multiples = scope.constant([count if at == axis + 1 else 1 for at in range(apart.rank)], "Tile/multiples")
    tiled = scope.op("Tile", apart, multiples, shape=shape)
    return reshape(scope, tiled, (*before[:axis], times(scope, before[axis], count), *after))


def _around(pairs: _Pairs, data_format: str) -> list[tuple[int, int]]:
    """Before and after, for all axes."""
    return [(0, 0), (0, 0), *pairs] if data_format == "channels_first" else [(0, 0), *pairs, (0, 0)]


LAYERS: Mapping[str, Make] = {
    "Cropping1D": _cropping,
    "Cropping2D": _cropping,
    "Cropping3D": _cropping,
    "Flatten": _flatten,
    "Permute": _permute,
    "RepeatVector": _repeat_vector,
    "Reshape": _reshape,
    "UpSampling1D": _repeat,
    "UpSampling3D": _repeat,
    "ZeroPadding1D": _zero_padding,
    "ZeroPadding2D": _zero_padding,
    "ZeroPadding3D": _zero_padding,
}
