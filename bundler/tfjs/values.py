"""Values in a model.json: attributes, shapes, dtypes, tensors.

They are in protobuf's JSON (camelCase keys, int64 as strings, bytes in base64), with the variants that TensorFlow.js
accepts: see `operation_mapper.ts` in tfjs-converter/src/operations.
"""

from __future__ import annotations

import base64
import reprlib
from collections.abc import Callable, Mapping, MutableSequence
from functools import partial
from typing import Any

from bundler.errors import ConversionError, within
from bundler.ir.dtypes import DType
from bundler.ir.protos import AttrValue, NameAttrList, TensorProto, TensorShapeProto
from bundler.tfjs import fields
from bundler.tfjs.fields import Json

__all__ = ["read_attrs", "read_bool", "read_dtype", "read_shape"]

_DEEPEST = 8
"""Functions in attributes of functions: TensorFlow's own graphs have one, protobuf reads about thirty."""


def read_shape(entry: object) -> TensorShapeProto:
    """A shape. A dimension of size 0 is an empty object; a negative size is unknown."""
    shape = fields.of(dict, entry, "a shape")
    if shape.get("unknownRank"):
        return TensorShapeProto(unknown_rank=True)
    sizes = [fields.integer(dim.get("size", 0)) for dim in fields.tables(shape, "dim")]
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=max(size, -1)) for size in sizes])


def read_dtype(spelled: object) -> DType:
    """A dtype, by its name (`DT_FLOAT`) or number."""
    try:
        return DType.parse(spelled if type(spelled) is int else _short(spelled))
    except ValueError as error:
        raise ConversionError(str(error)) from None


def read_attrs(entries: Json, depth: int = 0) -> dict[str, AttrValue]:
    """Attributes by name, without empty ones. `depth` counts the functions around them."""
    if depth > _DEEPEST:
        raise ConversionError("functions are nested in attributes of functions", expected=f"at most {_DEEPEST} deep")
    found: dict[str, AttrValue] = {}
    for key, entry in entries.items():
        with within(f"attribute {key!r}"):
            if fields.of(dict, entry, "its value"):
                found[key] = _read_attr(entry, depth)
    return found


def _read_attr(entry: Json, depth: int) -> AttrValue:
    if "list" in entry:
        made = AttrValue()
        made.list.SetInParent()
        for slot, items in fields.table(entry, "list").items():
            read = _reader(slot, depth)
            getattr(made.list, slot).extend([read(item) for item in fields.of(list, items, repr(slot))])
        return made
    return AttrValue(**{slot: _reader(slot, depth)(value) for slot, value in entry.items()})


def _reader(slot: str, depth: int) -> Callable[[Any], Any]:
    if slot == "func":
        return partial(_function_name, depth=depth + 1)
    if slot not in _READERS:
        raise ConversionError(f"{slot!r} is no kind of attribute", expected=", ".join([*_READERS, "func"]))
    return _READERS[slot]


def _bytes(spelled: object) -> bytes:
    """Base64, or in old models a list of character codes; an empty list is an empty string."""
    try:
        if isinstance(spelled, str):
            # As lenient as protobuf: both alphabets, and the padding may be missing.
            encoded = spelled.translate({ord("-"): "+", ord("_"): "/"})
            return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        return bytes(fields.of(list, spelled, "a string"))
    except (TypeError, ValueError):
        raise ConversionError("a string is neither base64 nor a list of bytes", found=_short(spelled)) from None


def _short(value: object) -> str:
    """A value for an error, cut: lists and objects may be too large, or nested too deeply, to be written whole."""
    spelled = value if isinstance(value, str) else reprlib.repr(value)
    return spelled[:60].encode(errors="backslashreplace").decode()


def read_bool(value: object) -> bool:
    """True or false; ConversionError for any other value."""
    return fields.of(bool, value, "a truth value")


def _tensor(entry: object) -> TensorProto:
    """A tensor of an attribute. That of a Const has no content: the weights have it."""
    tensor = fields.of(dict, entry, "a tensor")
    made = TensorProto(tensor_shape=read_shape(fields.table(tensor, "tensorShape")))
    if tensor.get("dtype"):
        made.dtype = read_dtype(tensor["dtype"])
    if tensor.get("tensorContent"):
        made.tensor_content = _bytes(tensor["tensorContent"])
    for key in tensor.keys() & _TENSOR_VALUES.keys():
        slot, read = _TENSOR_VALUES[key]
        _extend(getattr(made, slot), [read(value) for value in fields.of(list, tensor[key], repr(key))])
    return made


def _extend(numbers: MutableSequence[Any], values: list[Any]) -> None:
    try:
        numbers.extend(values)
    except ValueError:
        raise ConversionError("a number is out of range", found=str(values)[:60]) from None


def _function_name(entry: object, depth: int) -> NameAttrList:
    function = fields.of(dict, entry, "a function")
    made = NameAttrList(name=fields.text(function, "name"))
    for key, value in read_attrs(fields.table(function, "attr"), depth).items():
        made.attr[key].CopyFrom(value)
    return made


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "s": _bytes,
    "i": fields.integer,
    "f": fields.number,
    "b": read_bool,
    "type": read_dtype,
    "shape": read_shape,
    "tensor": _tensor,
}
"""The reader of each kind of attribute, except `func`, which has attributes itself."""
_TENSOR_VALUES: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "halfVal": ("half_val", fields.integer),
    "floatVal": ("float_val", fields.number),
    "doubleVal": ("double_val", fields.number),
    "intVal": ("int_val", fields.integer),
    "stringVal": ("string_val", _bytes),
    "scomplexVal": ("scomplex_val", fields.number),
    "int64Val": ("int64_val", fields.integer),
    "boolVal": ("bool_val", read_bool),
    "dcomplexVal": ("dcomplex_val", fields.number),
    "uint32Val": ("uint32_val", fields.integer),
    "uint64Val": ("uint64_val", fields.integer),
}
"""By its name in JSON, each list of values of a TensorProto: its field, and the reader of an item."""
