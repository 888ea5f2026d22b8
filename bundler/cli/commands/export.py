"""`bundler export`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bundler.cli.console import Console
from bundler.cli.frame import shown
from bundler.cli.options import JSON
from bundler.cli.reports import short
from bundler.cli.screen import Line
from bundler.cli.texts.columns import counted, size_text

if TYPE_CHECKING:
    from bundler.report.exported import Export, ExportedOutput

__all__ = ["export"]


@click.command(
    epilog="""\b
Examples:
  bundler export dist/tiny --format tflite
  bundler export dist/tiny --format tflite --float16 --signature edge_strength -o edges.tflite
  bundler export dist/tiny --format onnx --signature serving_default
""",
)
@click.argument("bundle", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.option("--format", required=True, type=click.Choice(["tflite", "onnx"]), help="The form of the file.")
@click.option("--signature", "signatures", metavar="KEY", multiple=True, help="A signature to export. Default: all.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The file. By default it is named for the bundle.",
)
@click.option("--float16", is_flag=True, help="TFLite: store the weights in half the size.")
@click.option("--opset", type=click.IntRange(min=7), default=18, show_default=True, help="ONNX: version of its ops.")
@click.option(
    "--rtol",
    type=click.FloatRange(min=0),
    help="Largest error, as a part of an output's largest value. Default: 0.001, with --float16 0.05.",
)
@click.option(
    "--no-verify", "verify", flag_value=False, default=True, help="Do not compare the file's outputs with the bundle's."
)
@JSON
@shown
def export(console: Console, bundle: Path, **settings: Any) -> None:
    """Write the signatures of BUNDLE as a TFLite or an ONNX file.

    Each signature of the file is run with random inputs, and compared with the bundle; a file that
    differs is not written. An ONNX file has one signature, needs the extra `onnx`, takes 3 to 17 s
    and differs in bytes from run to run.
    """
    import bundler

    with console.progress() as progress:
        exported = bundler.export(bundle, progress=progress, **settings)
    console.show_result(_lines(exported), exported.to_json)


def _lines(exported: Export) -> Iterator[Line]:
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
