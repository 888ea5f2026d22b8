"""The command line: each command parses its arguments, calls one verb and shows the outcome."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

import click

from bundler.cli.frame import show_versions
from bundler.cli.options import COLOR, color_in
from bundler.cli.process import open_streams
from bundler.cli.usage import explained_usage, no_such_command

__all__ = ["main", "run"]

_COMMANDS = {
    "init": "Write a first manifest for the models of each SOURCE.",
    "build": "Build the bundle of each MANIFEST.",
    "check": "Check each MANIFEST and its sources without writing anything.",
    "verify": "Compare the outputs of a bundle with those of its source models.",
    "run": "Call a signature of BUNDLE.",
    "inspect": "Show what is in a model, a manifest or a SavedModel.",
    "diff": "Show what changed between two bundles, and whether callers would notice.",
    "report": "Write a page of HTML that shows what is in BUNDLE.",
    "lock": "Write the lock of each MANIFEST: every file that its bundle is made from.",
    "serving": "Print TensorFlow Serving's models.config for bundles.",
    "export": "Write the signatures of BUNDLE as a TFLite or an ONNX file.",
    "convert": "Convert one model, with the flags of tfjs-graph-converter.",
    "cache": "Show or clean the cache of fetched models.",
    "completion": "Print the script for completion in a shell.",
    "schema": "Print the JSON Schema of manifests, for editors.",
}
"""The commands in the order of the help text, each with its line there. Its module is loaded if it is called."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        as_json, color = "--json" in args, color_in(args)  # also after a mistake, where click has not read them
        with explained_usage(as_json, group=click.Context(self, parent, info_name, color=color)):
            ctx = super().make_context(info_name, args, parent, **{"color": color, **extra})
        ctx.obj, ctx.color = as_json, color
        return ctx

    def invoke(self, ctx: click.Context) -> Any:
        with explained_usage(as_json=ctx.obj, group=ctx):
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise no_such_command(args[0], _COMMANDS)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"bundler.cli.commands.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def run() -> None:
    """Run `main` as a process of its own, with open standard streams. Raises SystemExit."""
    open_streams()
    try:
        main(prog_name="bundler")
    finally:
        gc.freeze()  # Python would search at the end of the process


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="The tables and keys of a manifest: docs/MANIFEST.md in the repository, or `bundler schema`.",
)
@COLOR
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=show_versions, help="Show versions."
)
def main() -> None:
    """Turn TensorFlow.js models into one TensorFlow SavedModel, with a signature for each task."""
