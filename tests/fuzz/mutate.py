"""Mutations: what damage, malice and other programs do to a file that was right."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

__all__ = ["STRANGE", "mutate_bytes", "mutate_json", "mutated"]

Files: TypeAlias = Mapping[str, bytes]

_LARGEST = 1 << 20
"""Bytes of a file of JSON after all mutations."""
_NINES = "9" * 5000
STRANGE: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        3,
        7,
        255,
        256,
        65536,
        1 << 31,
        -(1 << 31) - 1,
        1 << 40,
        1 << 63,
        1 << 64,
        10**400,
    ),
    *(0.5, -0.5, 1e300, -1e300, float("nan"), float("inf"), float("-inf")),
    *(
        "",
        " ",
        "x",
        "^x",
        "x:0",
        "x:1",
        "^x:0",
        ":",
        "::",
        ":0",
        "x:",
        "^",
        "^^x",
        "x:y:0",
        "x:y:z:0",
        "x:-1",
        "/",
        "a//b",
        "../x",
    ),
    *(
        "0",
        "-1",
        "1e3",
        "NaN",
        "Infinity",
        _NINES,
        f"-{_NINES}",
        f"x:{_NINES}",
        f"Identity_{_NINES}",
        "Identity_01",
        "Identity:0",
    ),
    *(
        "x" * 255,
        "x" * 256,
        "x" * 70000,
        "é",
        "日本",
        "\0",
        "x\0y",
        "\ud800",
        "a b",
        "<&>",
        "%s",
        "{0}",
        "__saved_model_init_op",
    ),
    *(
        "DT_FLOAT",
        "DT_INVALID",
        "DT_FLOAT_REF",
        "DT_RESOURCE",
        "DT_VARIANT",
        "DT_STRING",
        "float32",
        "SAME",
        "VALID",
        "EXPLICIT",
        "NCHW",
        "NHWC",
    ),
    *(
        "AAAA",
        "U0FNRQ==",
        "TkNIVw==",
        "RVhQTElDSVQ=",
        "=",
        "!",
        "Placeholder",
        "Const",
        "Identity",
        "While",
        "If",
        "HashTableV2",
    ),
    *([], {}, [[]], [{}], [None], [0], [1, 1], [1, 2, 2, 1], ["x"], ["x", "x", "x"], [1.5], [-1] * 4, [1 << 62] * 4),
    *(
        {"type": "DT_FLOAT"},
        {"type": 1 << 40},
        {"i": "3"},
        {"i": _NINES},
        {"i": -1},
        {"f": "NaN"},
        {"b": True},
        {"s": "U0FNRQ=="},
    ),
    *(
        {"shape": {}},
        {"shape": {"unknownRank": True}},
        {"shape": {"dim": [{"size": "-1"}]}},
        {"shape": {"dim": [{"size": -7}]}},
    ),
    *(
        {"shape": {"dim": [{"size": 1 << 62}] * 3}},
        {"list": {}},
        {"list": {"i": ["1", "1"]}},
        {"list": {"i": [1 << 40] * 4}},
    ),
    *({"list": {"type": ["DT_FLOAT"] * 3}}, {"list": {"s": [""]}}, {"list": {"func": [{"name": "nowhere"}]}}),
    *(
        {"func": {"name": "nowhere"}},
        {"func": {}},
        {"tensor": {}},
        {"tensor": {"dtype": "DT_FLOAT", "floatVal": [1, 2]}},
    ),
    {"tensor": {"dtype": "DT_FLOAT", "tensorShape": {"dim": [{"size": 1 << 40}]}, "tensorContent": "AAAA"}},
    {"tensor": {"dtype": "DT_FLOAT", "tensorShape": {"dim": [{"size": 1 << 62}] * 300}, "tensorContent": "AAAA"}},
    {"tensor": {"dtype": "DT_INT32", "tensorShape": {"dim": [{"size": "2"}]}, "intVal": [1, 2, 3]}},
)
"""Values that a program may not be prepared for, where another was."""


def mutated(files: Files, seeds: list[int]) -> dict[str, bytes]:
    """The files after one mutation for each seed."""
    made = dict(files)
    for seed in seeds:
        drawn = random.Random(seed)
        if drawn.random() < 0.8:
            mutate_json(made, drawn)
        else:
            mutate_bytes(made, drawn)
    return made


def mutate_json(files: dict[str, bytes], drawn: random.Random, name: str = "model.json") -> None:
    """Change one value of a file, if it still is JSON."""
    try:
        document = json.loads(files[name])
    except (KeyError, ValueError):
        return
    if not isinstance(document, dict):
        return
    # By depth first, so that the few large parts are met as often as the many small ones.
    places = sorted(_places(document), key=lambda place: place[0])
    if not places:
        return
    depth = drawn.choice(sorted({depth for depth, *_ in places}))
    _, holder, key = drawn.choice([place for place in places if place[0] == depth])
    with suppress(
        RecursionError, ValueError, OverflowError
    ):  # nested more than once, or inside itself: it stays as it was
        drawn.choice(_CHANGES)(holder, key, document, drawn)
        changed = json.dumps(document).encode()
        if len(changed) <= _LARGEST:
            files[name] = changed


def _places(document: Any) -> list[tuple[int, Any, Any]]:
    """Every value but the whole: how deep it lies, what holds it, and where in that."""
    found, pending = [], [(1, document)]
    while pending:
        depth, holder = pending.pop()
        keys = holder if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((depth, holder, key))
            if isinstance(holder[key], (dict, list)):
                pending.append((depth + 1, holder[key]))
    return found


def _drop(holder: Any, key: Any, _document: Any, _drawn: random.Random) -> None:
    del holder[key]


def _replace(holder: Any, key: Any, _document: Any, drawn: random.Random) -> None:
    holder[key] = json.loads(json.dumps(drawn.choice(STRANGE)))


def _duplicate(holder: Any, key: Any, _document: Any, drawn: random.Random) -> None:
    copy = json.loads(json.dumps(holder[key]))
    if isinstance(holder, list):
        holder.insert(drawn.randrange(len(holder) + 1), copy)
    else:
        holder[drawn.choice([f"{key}_1", key.upper(), "", f"{key}:0", "x" * 300])] = copy


def _swap(holder: Any, key: Any, document: Any, drawn: random.Random) -> None:
    """Two values of the document change places, one perhaps inside the other."""
    _, other, there = drawn.choice(_places(document))
    one, two = json.dumps(holder[key]), json.dumps(other[there])
    holder[key], other[there] = json.loads(two), json.loads(one)


def _nest(holder: Any, key: Any, _document: Any, drawn: random.Random) -> None:
    depth, value = drawn.choice([1, 2, 50, 300]), holder[key]
    wrap: Callable[[Any], Any] = drawn.choice(
        [lambda inner: [inner], lambda inner: {"func": {"name": "f", "attr": {"f": inner}}}]
    )
    for _ in range(depth):
        value = wrap(value)
    holder[key] = value


def _repeat(holder: Any, key: Any, _document: Any, drawn: random.Random) -> None:
    """A list of many, or a long string."""
    value, times = holder[key], drawn.choice([2, 17, 1000])
    if isinstance(value, (str, list)) and len(json.dumps(value)) < 200:
        holder[key] = value * times
    elif len(json.dumps(value)) < _LARGEST // 17:
        holder[key] = [value] * min(times, 17)


def _borrow(holder: Any, key: Any, document: Any, drawn: random.Random) -> None:
    """A value of the same kind from elsewhere: a name, an op, a reference."""
    alike = [other[there] for _, other, there in _places(document) if type(other[there]) is type(holder[key])]
    holder[key] = json.loads(json.dumps(drawn.choice(alike)))


def _edit(holder: Any, key: Any, _document: Any, drawn: random.Random) -> None:
    """A string with a piece more or less, a number that is near."""
    value = holder[key]
    if isinstance(value, str):
        at, piece = drawn.randrange(len(value) + 1), drawn.choice(["", ":", ":0", ":1", "^", "/", "_1", "é", "\0", " "])
        holder[key] = drawn.choice([piece + value, value + piece, value[:at] + piece + value[at + 1 :]])
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        holder[key] = value + drawn.choice([-1, 1, -value, -2 * value, 0.5])
    else:
        _replace(holder, key, _document, drawn)


_CHANGES = (_drop, _replace, _replace, _replace, _duplicate, _swap, _nest, _repeat, _borrow, _borrow, _edit, _edit)


def mutate_bytes(files: dict[str, bytes], drawn: random.Random) -> None:
    """Bytes of a file changed, lost or doubled."""
    name = drawn.choice(sorted(files))
    content = bytearray(files[name])
    start = drawn.randrange(len(content) + 1)
    end = min(len(content), start + drawn.choice([1, 1, 1, 4, 64]))
    change = drawn.randrange(5)
    if change == 0 and end > start:
        content[start] ^= 1 << drawn.randrange(8)
    elif change == 1:
        del content[start:end]
    elif change == 2:
        content[start:start] = content[start:end]
    elif change == 3:
        del content[start:]
    else:
        content[start:start] = drawn.randbytes(drawn.choice([1, 4, 64]))
    files[name] = bytes(content)
