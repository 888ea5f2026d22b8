"""Attribute values as TensorFlow spells them.

TensorFlow.js ignores the case of strings and reads a number from `i` or `f`; of strides, dilations and window sizes it
reads the entries of the spatial dimensions only (`getStringParam`, `getNumberParam` in
tfjs-converter/src/operations/operation_mapper.ts; executors/convolution_executor.ts). TensorFlow compares strings
exactly, and refuses a stride or a dilation along the batch or the channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bundler.ir.protos import AttrValue
from bundler.ops import Op

__all__ = ["convert_numbers", "respell"]

_UPPER = ("padding", "data_format", "filter_format", "mode", "interpolation", "fill_mode")
_LOWER = ("method",)
_FUSIBLE = ("BiasAdd", "NoOp", "FusedBatchNorm", "Relu", "Relu6", "Elu", "Sigmoid", "Tanh", "LeakyRelu", "Prelu")
_FUSED = {name.lower().encode(): name.encode() for name in _FUSIBLE}
_ENUMERATED = {*_UPPER, *_LOWER, "fused_ops"}
_WINDOWS = {"strides", "dilations", "ksize", "rates"}
_INT64 = 1 << 63
_IMAGE = 4
"""The least number of dimensions of a batch of images."""


def convert_numbers(row: Op, attrs: dict[str, AttrValue]) -> None:
    """Change the numbers among freshly read attributes, in place, to the kinds of the op's definition."""
    for key, value in attrs.items():
        attrs[key] = _as_kind(row.attrs[key], value)


def respell(row: Op, attrs: dict[str, AttrValue]) -> None:
    """Change strings and sizes by dimension, in place, to TensorFlow's spelling. Attributes are of the op's kinds."""
    for key in row.attrs.keys() & attrs.keys() & _ENUMERATED:
        attrs[key] = _spelled(key, attrs[key])
    for key in row.attrs.keys() & attrs.keys() & _WINDOWS:
        sizes = list(attrs[key].list.i)
        if len(sizes) >= _IMAGE:
            attrs[key] = AttrValue(list={"i": _in_place(attrs, sizes)})


def _as_kind(kind: str, value: AttrValue) -> AttrValue:
    """The value; an integer becomes a float or a whole float an integer if the op's attribute is of that kind."""
    if kind == "float" and value.WhichOneof("value") == "i":
        return AttrValue(f=value.i)
    if kind == "int" and value.WhichOneof("value") == "f" and _is_whole(value.f):
        return AttrValue(i=int(value.f))
    if kind == "list(int)" and value.list.f and all(map(_is_whole, value.list.f)):
        return AttrValue(list={"i": [int(item) for item in value.list.f]})
    return value


def _is_whole(number: float) -> bool:
    return number.is_integer() and abs(number) < _INT64


def _spelled(key: str, value: AttrValue) -> AttrValue:
    if key == "fused_ops":
        return AttrValue(list={"s": [_FUSED.get(name.lower(), name) for name in value.list.s]})
    return AttrValue(s=value.s.upper() if key in _UPPER else value.s.lower())


def _in_place(attrs: Mapping[str, AttrValue], sizes: Sequence[int]) -> list[int]:
    """Sizes by dimension: those that TensorFlow.js reads, with ones for the batch and the channels.

    Sizes that TensorFlow takes stay as they are: spatial ones in the order of `data_format`, and windows of a
    pooling over the channels alone.
    """
    is_first = "data_format" in attrs and attrs["data_format"].s.startswith(b"NC")
    outer, spatial = (sizes[:2] if is_first else (sizes[0], sizes[-1])), sizes[1:-1]
    over_channels = "ksize" in attrs and sizes[0] == 1 and set(spatial) == {1}
    if over_channels or set(outer) == {1}:
        return list(sizes)
    return [1, 1, *spatial] if is_first else [1, *spatial, 1]
