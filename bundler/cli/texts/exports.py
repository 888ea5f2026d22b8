"""What an export wrote, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bundler.cli.reports import short
from bundler.cli.screen import Line
from bundler.cli.texts.columns import counted, size_text

if TYPE_CHECKING:
    from bundler.report.exported import Export, ExportedOutput

__all__ = ["export_lines"]


def export_lines(exported: Export) -> Iterator[Line]:
    """A row for each output that was compared, and a line about the file."""
    rows = [("output", "largest error", *(("with float32",) if exported.bytes_before else ()))]
    rows += [_row(output) for output in exported.outputs]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows if exported.outputs else ()):
        padded = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield [(padded.rstrip(), "" if number else "dim")]
    if exported.outputs:
        yield []
    was = f", {size_text(exported.bytes_before)} with float32" if exported.bytes_before else ""
    signatures, written = counted(len(exported.signatures), "signature"), size_text(exported.bytes)
    yield [
        (short(exported.output), "bold green"),
        (f": {signatures}, {written}{was} in {exported.seconds:.1f} s", ""),
    ]


def _row(output: ExportedOutput) -> tuple[str, ...]:
    before = () if output.before is None else (f"{output.before:.1e}",)
    return f"{output.signature}: {output.name}", f"{output.relative:.1e}", *before
