"""What an export wrote, and how far its outputs are from the bundle's: plain data, and its JSON document."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Export", "ExportedOutput"]


@dataclass(frozen=True)
class ExportedOutput:
    """An output of the file, compared with the bundle's for the same random inputs.

    `absolute` is the largest difference, `relative` the same as a part of the largest absolute value of the bundle's
    output. With float16, `before` is the relative difference of the file with float32 weights. `why` says what differs
    if the values cannot be compared element by element.
    """

    signature: str
    name: str
    absolute: float
    relative: float
    why: str = ""
    before: float | None = None


@dataclass(frozen=True)
class Export:
    """A file in another form. `bytes_before` is its size with float32 weights, if it was written with float16.

    `outputs` is empty if the file was not compared with the bundle.
    """

    output: Path
    form: str
    signatures: tuple[str, ...]
    bytes: int
    outputs: tuple[ExportedOutput, ...] = ()
    bytes_before: int | None = None
    seconds: float = 0.0

    def to_json(self) -> str:
        """One JSON document in ASCII: keys in the order of the fields."""
        return json.dumps({**asdict(self), "output": self.output.as_posix()}, indent=2)
