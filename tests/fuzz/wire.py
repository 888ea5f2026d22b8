"""Mutations of protobuf's wire format: a message is changed at any depth, and stays one more often than not."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["mutated_message"]

_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}
_LARGEST = 1 << 20
"""Bytes of a message after all mutations."""

_NUMBERS = (0, 1, 2, 3, 7, 23, 127, 128, 255, 1 << 16, (1 << 31) - 1, 1 << 31, 1 << 40, 1 << 62, 1 << 63, (1 << 64) - 1)
_TEXTS = (
    *(b"", b" ", b"x", b"^x", b"x:0", b"x:1", b":", b"x:", b":0", b"^", b"x:y:0", b"x:-1", b"x:" + b"9" * 5000),
    *(b"/", b"../x", b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b[31m\r\n", "é日".encode(), b"x" * 70_000),
    *(
        b"value",
        b"T",
        b"Const",
        b"Placeholder",
        b"VarHandleOp",
        b"serving_default",
        b"__saved_model_init_op",
        b"DT_FLOAT",
    ),
    *(b"\x0a\x00", b"\x08\x01", b"\x0b", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
    *(b"\x12\x02\x08\x01" * 300, (b"\x12\x0a\x08" + b"\xff" * 8 + b"\x7f") * 300),  # dimensions
)
_PIECES = (b"", b":", b":0", b"^", b"/", b"_1", b"\0", b"\xff")


@dataclass
class _Field:
    """A field of a message. `value` is an integer of a varint, else bytes."""

    number: int
    kind: int
    value: int | bytes


_Message: TypeAlias = "list[_Field]"


def mutated_message(content: bytes, drawn: random.Random) -> bytes:
    """The message after a change of one of its fields, at any depth; as it was if it is no message, or too large."""
    fields = _parsed(content)
    if not fields:
        return content
    _change(fields, drawn)
    changed = _spelled(fields)
    return changed if len(changed) <= _LARGEST else content


def _change(fields: _Message, drawn: random.Random) -> None:
    at = drawn.randrange(len(fields))
    chosen = fields[at]
    inner = _parsed(chosen.value) if isinstance(chosen.value, bytes) else None
    if inner and drawn.random() < 0.85:
        _change(inner, drawn)
        chosen.value = _spelled(inner)
    else:
        drawn.choice(_CHANGES)(fields, at, drawn)


def _drop(fields: _Message, at: int, _drawn: random.Random) -> None:
    del fields[at]


def _repeat(fields: _Message, at: int, drawn: random.Random) -> None:
    times = drawn.choice([1, 1, 16, 1000])
    fields[at:at] = [fields[at]] * (times if len(_spelled([fields[at]])) * times < _LARGEST else 1)


def _move(fields: _Message, at: int, drawn: random.Random) -> None:
    fields.insert(drawn.randrange(len(fields)), fields.pop(at))


def _borrow(fields: _Message, at: int, drawn: random.Random) -> None:
    """The value of another field, which may be of another kind."""
    other = drawn.choice(fields)
    fields[at] = _Field(fields[at].number, other.kind, other.value)


def _renumber(fields: _Message, at: int, drawn: random.Random) -> None:
    fields[at].number = drawn.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 1 << 28, fields[at].number + 1])


def _replace(fields: _Message, at: int, drawn: random.Random) -> None:
    if fields[at].kind == _VARINT:
        fields[at].value = drawn.choice(_NUMBERS)
    elif fields[at].kind == _LENGTH_DELIMITED:
        fields[at].value = drawn.choice(_TEXTS)
    else:
        fields[at].value = drawn.randbytes(_WIDTHS[fields[at].kind])


def _edit(fields: _Message, at: int, drawn: random.Random) -> None:
    value = fields[at].value
    if isinstance(value, int):
        fields[at].value = (value + drawn.choice([-1, 1, 64])) % (1 << 64)
    elif fields[at].kind == _LENGTH_DELIMITED:
        place, piece = drawn.randrange(len(value) + 1), drawn.choice(_PIECES)
        fields[at].value = drawn.choice([piece + value, value + piece, value[:place] + piece + value[place + 1 :]])


def _nest(fields: _Message, at: int, drawn: random.Random) -> None:
    number = fields[at].number
    for _ in range(drawn.choice([1, 2, 50, 300])):
        fields[at] = _Field(number, _LENGTH_DELIMITED, _spelled([fields[at]]))


_CHANGES = (_drop, _repeat, _move, _borrow, _renumber, _replace, _replace, _replace, _edit, _edit, _nest)


def _parsed(content: bytes) -> _Message | None:
    """The fields of a message; None for bytes that are none."""
    found, at = [], 0
    try:
        while at < len(content):
            key, at = _varint(content, at)
            kind = key & 7
            value: int | bytes
            if kind == _VARINT:
                value, at = _varint(content, at)
            else:
                size, at = _varint(content, at) if kind == _LENGTH_DELIMITED else (_WIDTHS[kind], at)
                value, at = content[at : at + size], at + size
            found.append(_Field(key >> 3, kind, value))
    except (IndexError, KeyError):
        return None
    return found if at == len(content) else None


def _spelled(fields: _Message) -> bytes:
    return b"".join(map(_one, fields))


def _one(field: _Field) -> bytes:
    tag = _number(field.number << 3 | field.kind)
    if isinstance(field.value, int):
        return tag + _number(field.value)
    return tag + (_number(len(field.value)) if field.kind == _LENGTH_DELIMITED else b"") + field.value


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while content[at] > 127 and shift < 63:
        value, shift, at = value | (content[at] & 127) << shift, shift + 7, at + 1
    return value | content[at] << shift, at + 1


def _number(value: int) -> bytes:
    spelled = bytearray()
    while value > 127:
        spelled.append(value & 127 | 128)
        value >>= 7
    return bytes([*spelled, value])
