"""`bundler export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bundler.cli.console import Console
from bundler.cli.frame import shown
from bundler.cli.options import JSON
from bundler.cli.texts.exports import export_lines

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
    console.show_result(export_lines(exported), exported.to_json)
