"""A report in Markdown, as the pages of CI jobs and of reviews show it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundler.report import Report, SignatureReport

__all__ = ["code", "markdown", "table"]


def markdown(report: Report) -> str:
    """The signatures with the types of their tensors, and the models with their digests, as two tables."""
    signatures = table(("signature", "model", "inputs", "outputs"), map(_signature_row, report.signatures))
    models = table(
        ("model", "source", "weights", "nodes", "digest"),
        (
            (code(each.name), code(each.source), f"{each.weight_bytes:,} bytes", f"{each.nodes:,}", code(each.digest))
            for each in report.models
        ),
    )
    return f"{signatures}\n\n{models}\n"


def _signature_row(signature: SignatureReport) -> Iterator[str]:
    yield code(signature.key)
    yield ", ".join(map(code, signature.models))
    for side in (signature.inputs, signature.outputs):
        yield "<br>".join(f"{code(tensor.name)} {tensor.type}" for tensor in side)


def table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells in Markdown. A `|` in a cell is escaped, also in a code span."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def code(text: str) -> str:
    """Text of a stranger as a code span: in one line, between more backticks than the text has in a row."""
    plain = "".join(char if char.isprintable() else " " for char in text) or " "
    fence = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    pad = " " if "`" in plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"
