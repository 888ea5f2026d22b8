from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bundler.ir.dtypes import DType
from bundler.ir.nodes import (
    Shape,
    Tensor,
    attr,
    constant,
    free_name,
    inline_value,
    new_node,
    node_of,
    shape_of,
    shape_proto,
    short_names,
    show,
    tensor_proto,
)
from bundler.ir.protos import AttrValue, NameAttrList, TensorProto, TensorShapeProto

FLOAT = DType.float32


@pytest.mark.parametrize(
    ("reference", "tensor", "full"),
    [
        ("y", Tensor("y", 0), "y:0"),
        ("y:1", Tensor("y", 1), "y:1"),
        ("a/b.c-d:12", Tensor("a/b.c-d", 12), "a/b.c-d:12"),
        ("y:z", Tensor("y:z", 0), "y:z:0"),
    ],
)
def test_a_reference_is_a_node_and_a_port(reference: str, tensor: Tensor, full: str) -> None:
    assert Tensor.parse(reference) == tensor
    assert str(tensor) == reference
    assert tensor.full == full
    assert not tensor.is_control


def test_port_0_goes_without_saying() -> None:
    assert str(Tensor.parse("y:0")) == "y"


def test_a_control_edge_has_no_port() -> None:
    tensor = Tensor.parse("^y")
    assert (tensor.node, tensor.is_control, str(tensor)) == ("y", True, "^y")


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["y:0", "z:0"], ["y", "z"]),
        (["y", "y:0"], ["y", "y:0"]),
        (["y:0", "y:1"], ["y", "y:1"]),
        (["y:0:0", "y:0"], ["y:0", "y"]),
    ],
)
def test_names_lose_a_trailing_0_where_they_stay_unique(names: list[str], short: list[str]) -> None:
    assert list(short_names(dict.fromkeys(names))) == short


VALUES: list[tuple[Any, AttrValue]] = [
    (True, AttrValue(b=True)),
    (3, AttrValue(i=3)),
    (0.5, AttrValue(f=0.5)),
    ("SAME", AttrValue(s=b"SAME")),
    ("\udcff", AttrValue(s=b"\xff")),
    (FLOAT, AttrValue(type=1)),
    (shape_proto((1, None)), AttrValue(shape=shape_proto((1, None)))),
    (NameAttrList(name="f"), AttrValue(func=NameAttrList(name="f"))),
    ([1, 2], AttrValue(list=AttrValue.ListValue(i=[1, 2]))),
    (["a", "b"], AttrValue(list=AttrValue.ListValue(s=[b"a", b"b"]))),
    ([FLOAT, DType.int32], AttrValue(list=AttrValue.ListValue(type=[1, 3]))),
    ([], AttrValue(list=AttrValue.ListValue())),
]


@pytest.mark.parametrize(("value", "message"), VALUES, ids=lambda value: repr(value)[:30])
def test_a_value_becomes_the_attribute_that_tensorflow_means_by_it_and_back(value: Any, message: AttrValue) -> None:
    made = new_node("Op", "y", ["x", "^c"], a=value)
    assert (made.op, made.name, list(made.input)) == ("Op", "y", ["x", "^c"])
    assert made.attr["a"] == message
    assert made.attr["a"].WhichOneof("value") == message.WhichOneof("value")
    assert attr(made, "a") == value


def test_an_attribute_message_is_taken_as_it_is() -> None:
    assert new_node("Op", "y", a=AttrValue(i=7)).attr["a"] == AttrValue(i=7)


def test_bytes_are_a_string() -> None:
    assert attr(new_node("Op", "y", a=b"SAME"), "a") == "SAME"


def test_none_leaves_the_attribute_out() -> None:
    assert not new_node("Op", "y", a=None).attr


def test_nodes_with_equal_plain_attributes_share_the_set() -> None:
    one, other = (new_node(op, op, T=DType.float32, N=None, axis=1) for op in ("Relu", "Elu"))
    assert one.attr is other.attr
    assert [*one.attr] == ["T", "axis"]


def test_attributes_that_python_takes_for_equal_are_different() -> None:
    """True, 1 and float32 (which is 1 in TensorFlow) are equal keys of a dict."""
    made = [new_node("A", "a", x=value).attr["x"] for value in (True, 1, DType.float32, 1.0)]
    assert [value.WhichOneof("value") for value in made] == ["b", "i", "type", "f"]


def test_a_node_that_has_another_attribute_leaves_the_shared_set_alone() -> None:
    one, other = (new_node("Relu", name, T=DType.float32) for name in "ab")
    changed = one.having(T=DType.int32)
    assert [attr(node, "T") for node in (one, other, changed)] == [DType.float32, DType.float32, DType.int32]


@pytest.mark.parametrize("reference", ["y", "y:1", "^y", "^y:1", "a:b", "a:b:1", "y:", ":1", ""])
def test_the_node_of_a_reference_is_that_of_its_tensor(reference: str) -> None:
    assert node_of(reference) == Tensor.parse(reference).node


def test_a_value_that_no_attribute_holds_is_a_bug_and_says_so() -> None:
    with pytest.raises(TypeError, match="^no attribute holds a object$"):
        new_node("Op", "y", a=object())  # type: ignore[arg-type]


def test_reading_an_attribute_does_not_create_it() -> None:
    made = new_node("Op", "y")
    assert attr(made, "a") is None
    assert attr(made, "a", 5) == 5
    assert not made.attr


def test_a_constant_holds_its_bytes_and_waits_for_its_frame() -> None:
    made = constant("c", np.array([[1, 2]], np.int64), control=["loop"])
    assert list(made.input) == ["^loop"]
    assert attr(made, "dtype") == DType.int64
    tensor = made.attr["value"].tensor
    assert (tensor.dtype, shape_of(tensor.tensor_shape)) == (DType.int64, (1, 2))
    assert tensor.tensor_content == np.array([1, 2], "<i8").tobytes()


@pytest.mark.parametrize(
    "value", [np.array(2.5, ">f4"), np.asfortranarray(np.arange(6).reshape(2, 3)), np.zeros((0, 2))]
)
def test_a_tensor_is_read_back_from_its_message(value: np.ndarray) -> None:
    found = inline_value(tensor_proto(value))
    assert found is not None
    assert found.dtype == value.dtype.newbyteorder("<")
    np.testing.assert_array_equal(found, value)


@pytest.mark.parametrize(
    "tensor",
    [
        TensorProto(dtype=1, float_val=[1]),
        TensorProto(dtype=1, tensor_content=b"\0" * 3),
        TensorProto(dtype=1, tensor_content=b"\0" * 4, tensor_shape=shape_proto((2,))),
        TensorProto(dtype=1, tensor_content=b"\0" * 4, tensor_shape=TensorShapeProto(dim=[{"size": -1}, {"size": -1}])),
        TensorProto(dtype=7, tensor_content=b"\0" * 4),
        TensorProto(tensor_content=b"\0" * 4),
        tensor_proto(np.zeros(257, np.float32)),
    ],
    ids=["other spelling", "part of a number", "too few", "no shape", "strings", "no dtype", "large"],
)
def test_other_messages_are_not_read(tensor: TensorProto) -> None:
    assert inline_value(tensor) is None


@pytest.mark.parametrize("shape", [(), (0,), (1, None, 3), None])
def test_a_shape_becomes_a_message_and_back(shape: Shape | None) -> None:
    assert shape_of(shape_proto(shape)) == shape


def test_an_unknown_rank_is_said() -> None:
    assert shape_proto(None).unknown_rank
    assert not shape_proto(()).unknown_rank


def test_a_node_is_shown_as_in_the_docs() -> None:
    made = new_node("Conv2D", "y", ["x", "w:1"], padding="SAME", strides=[1, 2], T=FLOAT)
    assert show(made) == "y = Conv2D(x, w:1)"
    assert (
        show(made, "padding", "strides", "T", "absent") == "y = Conv2D(x, w:1, padding=SAME, strides=[1, 2], T=float32)"
    )


@pytest.mark.parametrize(
    ("reference", "tensor"),
    [
        ("y:000000001", Tensor("y", 1)),
        ("y:0000000001", Tensor("y:0000000001")),
        (f"y:{'9' * 5000}", Tensor(f"y:{'9' * 5000}")),
        ("y:١", Tensor("y:١")),
        ("y:-1", Tensor("y:-1")),
        ("y:", Tensor("y:")),
        (":0", Tensor(":0")),
        ("", Tensor("")),
    ],
    ids=["nine digits", "ten", "thousands", "arabic", "negative", "none", "no name", "empty"],
)
def test_what_is_no_number_of_a_port_belongs_to_the_name(reference: str, tensor: Tensor) -> None:
    assert Tensor.parse(reference) == tensor


def test_a_name_is_made_free_by_underscores_however_many_it_takes() -> None:
    taken = {"y" + "_" * more for more in range(3000)}
    assert free_name("y", taken) == "y" + "_" * 3000
    assert free_name("z", taken) == "z"


def test_three_names_that_differ_in_a_trailing_0_stay_three() -> None:
    assert list(short_names(dict.fromkeys(["y", "y:0", "y:0:0"]))) == ["y", "y:0", "y:0:0"]
