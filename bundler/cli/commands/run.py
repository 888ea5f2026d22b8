"""`bundler run`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console
from bundler.cli.frame import shown
from bundler.cli.options import CUDA, JSON
from bundler.errors import BundlerError, closest

if TYPE_CHECKING:
    import numpy as np

    from bundler.bundle import Bundle, Endpoint
    from bundler.cli.screen import Line

__all__ = ["run"]


def _completions(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """The keys and the inputs of the bundle that the command line names."""
    from bundler.bundle import Bundle

    words: Sequence[str] = ctx.params.get("words") or ()
    try:
        bundle = Bundle.open(ctx.params["bundle"])
    except BundlerError:
        return []
    found = [*(() if words else bundle.keys), *_inputs(bundle, "".join(words[:1]))]
    return [word for word in found if word.startswith(begun)]


def _inputs(bundle: Bundle, key: str) -> list[str]:
    """`NAME=` for each input of a signature."""
    try:
        return [f"{name}=" for name in bundle.endpoint(key).signature.inputs]
    except BundlerError:
        return []


@click.command(
    epilog="""\b
Examples:
  bundler run dist/tiny moments '[1, 2, 3, 4, 5, 6, 7, 8]'
  bundler run dist/tiny edge_strength image=photo.jpg -o edges.npz
  bundler run dist/tiny serving_default pixels=digits.npy --json
  bundler run dist/posenet photo.jpg --resize --pixels -1 1
"""
)
@click.argument("bundle", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.argument("words", metavar="[KEY] [NAME=VALUE]...", nargs=-1, shell_complete=_completions)
@click.option(
    "-o", "--output", metavar="FILE.npz", type=click.Path(path_type=Path), help="Write the outputs into this file too."
)
@click.option("--force", is_flag=True, help="Replace FILE.npz if it exists.")
@click.option("--resize", is_flag=True, help="Resize images to the size of their input.")
@click.option(
    "--pixels",
    metavar="BLACK WHITE",
    type=(float, float),
    default=(0, 255),
    help="Numbers of black and white in float inputs. Default: 0 255, as in a browser.",
)
@click.option("--tags", metavar="TAG,…", default="", help="Tags of the MetaGraph, if several have the signature.")
@CUDA
@JSON
@shown
def run(
    console: Console,
    bundle: Path,
    words: tuple[str, ...],
    output: Path | None,
    force: bool,
    resize: bool,
    pixels: tuple[float, float],
    tags: str,
    cuda: bool,
) -> None:
    """Call the signature KEY of BUNDLE, the folder of a SavedModel, and show its outputs.

    KEY may be left out if there is one signature, or a `serving_default`. A VALUE is a number, JSON,
    text for a string input, or a file: .npy, .npz (an array of several: FILE.npz[NAME]), .json, or an
    image (.jpg, .png, .gif, .bmp). A sole input needs no NAME. A value that lacks only the batch
    dimension gets one.

    An image gives the numbers that tf.browser.fromPixels gives: 0 to 255, in floats too.
    """
    from bundler.bundle import Bundle
    from bundler.bundle.images import Pixels
    from bundler.runtimes.tensorflow import Runtime
    from bundler.verbs.run import called

    if output is not None and output.exists() and not force:
        raise BundlerError("the file exists", where=str(output), hint="replace it with --force")
    with Runtime(cuda=cuda) as runtime:
        runtime.start()
        opened = Bundle.open(bundle)
        key, values = _asked(words, opened)
        endpoint = opened.endpoint(key, [tag for tag in tags.split(",") if tag])
        outputs = called(endpoint, _given(values), runtime, Pixels(resize, *pixels))
    if output is not None:
        _write(output, outputs)
    console.show_result(_lines(endpoint, outputs), lambda: _document(endpoint, outputs))


def _asked(words: Sequence[str], bundle: Bundle) -> tuple[str, Sequence[str]]:
    """The signature's key, "" if it is left out, and the values."""
    if words and _is_key(words, bundle.keys):
        return words[0], words[1:]
    return "", words


def _is_key(words: Sequence[str], keys: Sequence[str]) -> bool:
    """Whether the first word is a key, or must be one: only a value that is alone has no name."""
    first = words[0]
    return first in keys or ("=" not in first and (len(words) > 1 or bool(closest(first, keys))))


def _given(values: Sequence[str]) -> object:
    from bundler.bundle.arguments import Text

    pairs = [value.partition("=") for value in values]
    if len(pairs) == 1 and not pairs[0][1]:
        return Text(values[0])
    unnamed = next((value for value, (_, sign, _) in zip(values, pairs) if not sign), None)
    if unnamed is not None:
        raise BundlerError("this value has no name", found=repr(unnamed), expected="NAME=VALUE")
    _refuse_twice([name for name, _, _ in pairs])
    return {name: Text(value) for name, _, value in pairs}


def _refuse_twice(names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BundlerError(f"input {twice!r} has two values")


def _write(output: Path, outputs: Mapping[str, np.ndarray]) -> None:
    from bundler.bundle.files import write_arrays
    from bundler.disk.publish import publishing_file

    with publishing_file(output) as path:
        write_arrays(path, outputs)


def _lines(endpoint: Endpoint, outputs: Mapping[str, np.ndarray]) -> Iterator[Line]:
    from bundler.bundle.described import first_values, range_of, type_of

    yield [(endpoint.key, "bold")]
    rows = [(name, type_of(value), range_of(value), first_values(value)) for name, value in outputs.items()]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        name, kind, span, first = (cell.ljust(width) for cell, width in zip(row, widths))
        yield [
            ("  out  ", "dim"),
            (name, ""),
            (f"  {kind}", "cyan"),
            (f"  {span}" if widths[2] else "", ""),
            (f"  {first.rstrip()}", "dim"),
        ]


def _document(endpoint: Endpoint, outputs: Mapping[str, np.ndarray]) -> str:
    from bundler.bundle.described import document

    described = {name: document(value) for name, value in outputs.items()}
    return json.dumps({"signature": endpoint.key, "tags": list(endpoint.tags), "outputs": described})
