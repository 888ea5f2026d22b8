"""`bundler convert`: one model, with the flags of tfjs-graph-converter, one for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bundler.cli.console import Console
from bundler.cli.frame import explained, show_versions
from bundler.cli.options import COLOR, CUDA
from bundler.cli.reports import graph_lines, report_lines
from bundler.cli.screen import Line
from bundler.cli.texts.exports import export_lines
from bundler.errors import NOWHERE, Fault, ManifestError

if TYPE_CHECKING:
    from bundler.api.asked import AskedModel
    from bundler.report import Report
    from bundler.report.exported import Export
    from bundler.runtimes.exporters import Form

__all__ = ["convert"]

_Command = TypeVar("_Command", bound=Callable[..., object])

_FROZEN, _SAVED = "tf_frozen_model", "tf_saved_model"
_FORMS: Mapping[str, Form] = {"tflite": "tflite", "onnx": "onnx"}
"""Further formats: files that are made of a SavedModel."""
_OF_SAVED_MODELS = ("saved_model_tags", "outputs", "signature_key", "method_name", "rename")
_NEED_OUTPUTS = ("signature_key", "method_name", "rename")


class _Names(click.ParamType):
    """`a,b`: names, with commas between them."""

    name = "names"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        return tuple(value.split(","))


class _Pairs(click.ParamType):
    """`a:x,b:y`: old names and new ones. An old name may have a port: `a:1:x`."""

    name = "pairs"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Mapping[str, str]:
        pairs = [pair.rpartition(":") for pair in value.split(",")]
        if not all(old and new for old, _, new in pairs):
            self.fail(f"{value!r} is no list of NAME:KEY with commas between them", param, ctx)
        return {old: new for old, _, new in pairs}


def _flag(name: str, *short: str, **settings: Any) -> Callable[[_Command], _Command]:
    """An option under both spellings: `--output_format` and `--output-format`."""
    spellings = dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}"))
    return click.option(name, *short, *spellings, **settings)


@click.command(
    short_help="Convert one model, with the flags of tfjs-graph-converter.",
    epilog="""\b
Examples:
  bundler convert manifests/models/digits digits.pb
  bundler convert manifests/models/edges edges --output_format tf_saved_model
""",
)
@click.argument("input", metavar="INPUT")
@click.argument("output", metavar="OUTPUT", type=click.Path(path_type=Path))
@_flag(
    "output_format",
    type=click.Choice([_FROZEN, _SAVED, *_FORMS]),
    show_default="tf_frozen_model, or that of a file .tflite or .onnx",
    help="What to write: a file with the graph and its weights, the folder of a SavedModel, or a file in another form.",
)
@_flag(
    "compat_mode",
    "-c",
    type=click.Choice(["none", "tfjs", "tflite"]),
    default="none",
    show_default=True,
    help="tfjs: int32 in place of int64 inputs; tflite: builtin ops of TFLite only.",
)
@_flag("saved_model_tags", type=_Names(), metavar="TAG,…", help="Tags of the MetaGraph. Default: serve.")
@_flag("outputs", type=_Names(), metavar="NAME,…", help="Outputs of the signature. Default: all.")
@_flag("signature_key", metavar="KEY", help="The signature's name. Needs --outputs. Default: serving_default.")
@_flag("method_name", metavar="NAME", help="The signature's method, unchanged. Needs --outputs. Default: predict.")
@_flag("rename", type=_Pairs(), metavar="NAME:KEY,…", help="Public names of inputs and outputs. Needs --outputs.")
@click.option("--force", is_flag=True, help="Replace a folder that bundler did not write.")
@CUDA
@COLOR
@click.option("-s", "--silent", is_flag=True, help="Show errors only.")
@click.option(
    "-v", "--version", is_flag=True, is_eager=True, expose_value=False, callback=show_versions, help="Show versions."
)
def convert(silent: bool, **asked: Any) -> None:
    """Convert the TensorFlow.js model INPUT to OUTPUT: a frozen graph, a SavedModel, a TFLite or an ONNX file.

    INPUT is a folder with a model.json, a JSON file, or any other source that a manifest takes, such as
    models.zip#posenet/model.json. Nodes keep their names; the inputs and outputs of a SavedModel have those that the
    model's file gives them, else those of their nodes.
    """
    asked["output_format"] = asked["output_format"] or _format_of(asked["output"])
    _check_flags(asked, silent)
    console = Console(quiet=silent)
    with explained(console):
        if asked["output_format"] in _FORMS:
            console.show_lines(export_lines(_exported(console, **asked)))
        else:
            report = _converted(console, **asked)
            console.show_lines(_lines(report, asked["output_format"]))


def _format_of(output: Path) -> str:
    """The format of a file whose name says it; else a frozen graph, as the predecessor writes."""
    return next((form for form in _FORMS if output.suffix.lower() == f".{form}"), _FROZEN)


def _lines(report: Report, output_format: str) -> Iterator[Line]:
    return graph_lines(report) if output_format == _FROZEN else report_lines(report, details=False, ops=False)


def _check_flags(given: Mapping[str, object], silent: bool) -> None:
    """Raise UsageError for flags that exclude each other, by the rules of the predecessor."""
    named = {name for name in _OF_SAVED_MODELS if given[name] is not None}
    for name in _NEED_OUTPUTS if given["output_format"] != _FROZEN else ():
        if name in named and "outputs" not in named:
            raise click.UsageError(f"--{name} needs --outputs: it describes a signature of yours")
    if given["output_format"] == _FROZEN and named and not silent:
        flags = ", ".join(f"--{name}" for name in _OF_SAVED_MODELS if name in named)
        click.echo(f"note: a frozen graph has no signatures and no tags: {flags} changes nothing", err=True)


def _converted(
    console: Console,
    *,
    input: str,
    output: Path,
    output_format: str,
    compat_mode: str,
    force: bool,
    cuda: bool,
    **signature: Any,
) -> Report:
    from bundler.api import calls
    from bundler.api.asked import AskedModel
    from bundler.manifest import Compat

    compat = Compat(compat_mode)
    with console.progress() as progress, _naming_flags():
        if output_format == _FROZEN:
            return calls.frozen_graph(AskedModel(input), output, compat=compat, cuda=cuda, progress=progress)
        models = [_model(input, **signature)]
        return calls.saved_model(models, output, compat=compat, force=force, cuda=cuda, progress=progress)


def _exported(
    console: Console, *, input: str, output: Path, output_format: str, compat_mode: str, **others: Any
) -> Export:
    from bundler.api import calls
    from bundler.manifest import Compat

    model = _model(input, **{name: others[name] for name in _OF_SAVED_MODELS})
    with console.progress() as progress, _naming_flags():
        return calls.exported(model, output, _FORMS[output_format], compat=Compat(compat_mode), progress=progress)


def _model(
    source: str,
    *,
    saved_model_tags: Sequence[str] | None,
    outputs: Sequence[str] | None,
    signature_key: str | None,
    method_name: str | None,
    rename: Mapping[str, str] | None,
) -> AskedModel:
    from bundler.api.asked import AskedModel, AskedSignature
    from bundler.ir.model import PREDICT
    from bundler.manifest.clashes import DEFAULT_KEY

    asked = AskedSignature(signature_key or DEFAULT_KEY, outputs or (), method_name or PREDICT, rename or {})
    tags = ["serve"] if saved_model_tags is None else [tag.strip() for tag in saved_model_tags if tag.strip()]
    return AskedModel(source, tags, [asked] if outputs else [])


@contextmanager
def _naming_flags() -> Iterator[None]:
    """Name the flag for a place in the manifest that was made from the flags."""
    try:
        yield
    except ManifestError as error:
        raise ManifestError.of(map(_at_flag, error.faults)) from error


_FLAGS = {
    "tags": "--saved_model_tags",
    "key": "--signature_key",
    "outputs": "--outputs",
    "rename": "--rename",
    "method_name": "--method_name",
}
"""Flags by the keys of a model or a signature in the manifest."""


def _at_flag(fault: Fault) -> Fault:
    flag = next((_FLAGS[key] for key in fault.place.keys if key in _FLAGS), "")
    return replace(fault, where=flag, place=NOWHERE) if flag else fault
