"""What is known of a model, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bundler.cli.texts.columns import listed

if TYPE_CHECKING:
    from bundler.report import ModelReport

__all__ = ["model_details"]

_SIGNATURES = {
    "graph": "the file has no signature: inputs are Placeholders, outputs the nodes that no other node reads",
    "layers": "signature of its input and output layers",
}
"""By `ModelReport.signature_from`; any other is a key of the file."""
_INDENT = 2


def model_details(model: ModelReport, details: bool, ops: bool) -> Iterator[str]:
    """`details` adds the source and notes, `ops` these too, and what the model is, its ops and those rewritten."""
    if details or ops:
        yield from (text for text in (model.source, model.digest) if text)
    if ops:
        yield from _origin(model)
    if details or ops:
        yield from (f"note: {note}" for note in model.notes)
    if ops:
        yield from _rewritten(model)
        by_count = sorted(model.ops.items(), key=lambda item: (-item[1], item[0]))
        yield from listed((f"{count} {op}" for op, count in by_count), _INDENT)


def _origin(model: ModelReport) -> Iterator[str]:
    if model.format:
        yield f"{model.format} model" + (f" by {model.written_by}" if model.written_by else "")
        yield _SIGNATURES.get(model.signature_from, f"signature of the file's key {model.signature_from}")
    if model.stored:
        yield f"weights stored as {', '.join(f'{dtype} ({count})' for dtype, count in model.stored.items())}"


def _rewritten(model: ModelReport) -> Iterator[str]:
    for each in model.rewritten:
        verb = "becomes" if each.count == 1 else "become"
        yield from listed(each.into, _INDENT, f"{each.count} {each.op} {verb} ")
