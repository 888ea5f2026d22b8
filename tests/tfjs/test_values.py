from __future__ import annotations

from typing import Any

import pytest

from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import shape_proto
from bundler.ir.protos import AttrValue, NameAttrList, TensorProto
from bundler.tfjs.values import read_attrs, read_bool, read_dtype, read_shape

Lists = AttrValue.ListValue
SCALAR = {"dtype": "DT_FLOAT", "tensorShape": {}}


def read(entry: Any) -> AttrValue:
    """The value of an attribute that is written so."""
    return read_attrs({"a": entry})["a"]


FORMS: list[tuple[Any, AttrValue]] = [
    # strings: base64 of either alphabet, padded or not; character codes; nothing
    ({"s": "U0FNRQ=="}, AttrValue(s=b"SAME")),
    ({"s": "U0FNRQ"}, AttrValue(s=b"SAME")),
    ({"s": "U0FNRQ="}, AttrValue(s=b"SAME")),
    ({"s": "_-8="}, AttrValue(s=b"\xff\xef")),
    ({"s": "/+8="}, AttrValue(s=b"\xff\xef")),
    ({"s": [83, 65, 77, 69]}, AttrValue(s=b"SAME")),
    ({"s": []}, AttrValue(s=b"")),
    ({"s": ""}, AttrValue(s=b"")),
    # numbers
    ({"i": "3"}, AttrValue(i=3)),
    ({"i": -1}, AttrValue(i=-1)),
    ({"f": 0.5}, AttrValue(f=0.5)),
    ({"f": 1}, AttrValue(f=1.0)),
    ({"f": "Infinity"}, AttrValue(f=float("inf"))),
    ({"b": False}, AttrValue(b=False)),
    # dtypes
    ({"type": "DT_INT64"}, AttrValue(type=9)),
    ({"type": 9}, AttrValue(type=9)),
    # shapes
    ({"shape": {}}, AttrValue(shape=shape_proto(()))),
    ({"shape": {"unknownRank": True}}, AttrValue(shape=shape_proto(None))),
    ({"shape": {"dim": [{"size": "-1"}, {"size": 3}, {}]}}, AttrValue(shape=shape_proto((None, 3, 0)))),
    # functions
    ({"func": {"name": "f"}}, AttrValue(func=NameAttrList(name="f"))),
    (
        {"func": {"name": "f", "attr": {"n": {"i": "2"}}}},
        AttrValue(func=NameAttrList(name="f", attr={"n": AttrValue(i=2)})),
    ),
    # lists
    ({"list": {}}, AttrValue(list=Lists())),
    ({"list": {"i": []}}, AttrValue(list=Lists())),
    ({"list": {"s": ["UmVsdQ==", [82, 101], []]}}, AttrValue(list=Lists(s=[b"Relu", b"Re", b""]))),
    ({"list": {"i": ["1", 2]}}, AttrValue(list=Lists(i=[1, 2]))),
    ({"list": {"f": [1, 0.5]}}, AttrValue(list=Lists(f=[1, 0.5]))),
    ({"list": {"b": [True, False]}}, AttrValue(list=Lists(b=[True, False]))),
    ({"list": {"type": ["DT_FLOAT", 3]}}, AttrValue(list=Lists(type=[1, 3]))),
    ({"list": {"shape": [{}, {"dim": [{}]}]}}, AttrValue(list=Lists(shape=[shape_proto(()), shape_proto((0,))]))),
    ({"list": {"tensor": [SCALAR]}}, AttrValue(list=Lists(tensor=[TensorProto(dtype=1, tensor_shape={})]))),
    ({"list": {"func": [{"name": "f"}]}}, AttrValue(list=Lists(func=[NameAttrList(name="f")]))),
]


@pytest.mark.parametrize(
    ("written", "value"), FORMS, ids=lambda value: None if isinstance(value, AttrValue) else str(value)
)
def test_an_attribute_is_read_in_every_form(written: Any, value: AttrValue) -> None:
    assert read(written) == value
    assert read(written).WhichOneof("value") == value.WhichOneof("value")


TENSORS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"versionNumber": 0}, {}),
    ({"tensorContent": "AACAPw=="}, {"tensor_content": b"\0\0\x80\x3f"}),
    ({"tensorContent": [0, 0, 128, 63]}, {"tensor_content": b"\0\0\x80\x3f"}),
    ({"tensorContent": []}, {}),
    ({"floatVal": [1, 2.5]}, {"float_val": [1, 2.5]}),
    ({"doubleVal": [2.5]}, {"double_val": [2.5]}),
    ({"halfVal": [15360]}, {"half_val": [15360]}),
    ({"intVal": ["7", 8]}, {"int_val": [7, 8]}),
    ({"int64Val": ["7"]}, {"int64_val": [7]}),
    ({"uint32Val": [7]}, {"uint32_val": [7]}),
    ({"uint64Val": ["7"]}, {"uint64_val": [7]}),
    ({"boolVal": [True]}, {"bool_val": [True]}),
    ({"stringVal": ["/w==", [255]]}, {"string_val": [b"\xff", b"\xff"]}),
    ({"scomplexVal": [1, 2]}, {"scomplex_val": [1, 2]}),
    ({"dcomplexVal": [1, 2]}, {"dcomplex_val": [1, 2]}),
]


@pytest.mark.parametrize(("written", "values"), TENSORS, ids=lambda values: "-".join(values))
def test_a_tensor_is_read_with_content_of_every_kind(written: dict[str, Any], values: dict[str, Any]) -> None:
    tensor = {"dtype": "DT_FLOAT", "tensorShape": {"dim": [{"size": "2"}]}, **written}
    assert read({"tensor": tensor}).tensor == TensorProto(dtype=1, tensor_shape=shape_proto((2,)), **values)


def test_a_tensor_need_not_say_its_dtype_or_shape() -> None:
    assert read({"tensor": {}}).tensor == TensorProto(tensor_shape={})


def test_an_attribute_that_holds_nothing_is_as_good_as_none() -> None:
    assert read_attrs({"a": {}}) == {}


WRONG: list[tuple[Any, str]] = [
    (None, "its value is of the wrong kind (found nothing, expected an object)"),
    ("SAME", 'its value is of the wrong kind (found "SAME", expected an object)'),
    ({"placeholder": "T"}, "'placeholder' is no kind of attribute (expected s, i, f, b, type, shape, tensor, func)"),
    ({"list": {"x": []}}, "'x' is no kind of attribute (expected s, i, f, b, type, shape, tensor, func)"),
    ({"list": {"s": "UmVsdQ=="}}, "'s' is of the wrong kind (found \"UmVsdQ==\", expected a list)"),
    ({"s": "?"}, "a string is neither base64 nor a list of bytes (found ?)"),
    ({"s": [256]}, "a string is neither base64 nor a list of bytes (found [256])"),
    ({"s": ["a"]}, "a string is neither base64 nor a list of bytes (found ['a'])"),
    ({"s": 5}, "a string is of the wrong kind (found 5, expected a list)"),
    ({"i": "x"}, 'a number is of the wrong kind (found "x", expected an integer of 64 bits)'),
    ({"f": None}, "a number is of the wrong kind (found nothing, expected a number)"),
    ({"b": "true"}, 'a truth value is of the wrong kind (found "true", expected true or false)'),
    ({"type": "DT_NONSENSE"}, "'DT_NONSENSE' is not a dtype"),
    ({"type": 0}, "0 is not a dtype"),
    ({"type": None}, "'None' is not a dtype"),
    ({"shape": []}, "a shape is of the wrong kind (found [], expected an object)"),
    ({"shape": {"dim": [3]}}, "an item of 'dim' is of the wrong kind (found 3, expected an object)"),
    ({"func": {}}, "'name' is of the wrong kind (found nothing, expected a string)"),
    ({"tensor": {"floatVal": 1}}, "'floatVal' is of the wrong kind (found 1, expected a list)"),
    ({"tensor": {"intVal": ["4294967296"]}}, "a number is out of range (found [4294967296])"),
]


@pytest.mark.parametrize(("written", "error"), WRONG, ids=[str(written) for written, _ in WRONG])
def test_what_is_no_attribute_is_an_error_with_its_name(written: Any, error: str) -> None:
    with pytest.raises(ConversionError) as caught:
        read(written)
    assert str(caught.value) == f"attribute 'a': {error}"


def test_a_fault_within_a_function_names_both() -> None:
    with pytest.raises(ConversionError, match="^attribute 'a': attribute 'n': 'x' is no kind of attribute"):
        read({"func": {"name": "f", "attr": {"n": {"x": 1}}}})


@pytest.mark.parametrize(
    ("written", "dtype"), [("DT_HALF", DType.float16), ("float32", DType.float32), (3, DType.int32)]
)
def test_a_dtype_is_a_name_or_a_number(written: object, dtype: DType) -> None:
    assert read_dtype(written) is dtype


def test_a_shape_of_unknown_rank_has_no_dimensions() -> None:
    assert read_shape({"unknownRank": True, "dim": [{"size": 1}]}) == shape_proto(None)


def test_true_is_true() -> None:
    assert read_bool(True) is True


def nested(depth: int) -> dict[str, Any]:
    """A function in an attribute of a function, and so on."""
    value: dict[str, Any] = {"func": {"name": "f"}}
    for _ in range(depth - 1):
        value = {"func": {"name": "f", "attr": {"inner": value}}}
    return value


def test_functions_are_nested_eight_deep_at_most() -> None:
    read_attrs({"a": nested(8)})
    with pytest.raises(ConversionError, match="functions are nested in attributes of functions"):
        read_attrs({"a": nested(250)})


def test_a_negative_size_is_unknown() -> None:
    assert read_shape({"dim": [{"size": "-1"}, {"size": -7}, {"size": "-9223372036854775808"}]}) == shape_proto(
        (None, None, None)
    )
