"""A GraphDef with an attribute: a function that has an attribute that is a function, a thousand times."""

from __future__ import annotations

from pathlib import Path

DEPTH = 1000


def make(project: Path) -> None:
    """Write a model from before 1.0."""
    model = project / "model"
    model.mkdir(exist_ok=True)
    (model / "weights_manifest.json").write_text("[]")
    value = b""
    for _ in range(DEPTH):
        value = field(10, field(2, field(1, b"a") + field(2, value)))  # func.attr["a"]
    entry = field(1, b"a") + field(2, value)
    (model / "tensorflowjs_model.pb").write_bytes(field(1, field(1, b"x") + field(2, b"NoOp") + field(5, entry)))


def field(number: int, content: bytes) -> bytes:
    """A field of a protobuf message, with its length."""
    length, spelled = len(content), bytearray()
    while length >= 0x80:
        spelled.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *spelled, length]) + content
