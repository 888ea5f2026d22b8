"""What every command has: a console, an exit status for each error, and the versions."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

import click

from bundler import __version__
from bundler.cli.console import Console
from bundler.cli.options import COLOR
from bundler.cli.process import exit_status, interruptible
from bundler.errors import BundlerError, unforeseen

__all__ = ["explained", "show_versions", "shown"]


def shown(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `-q`, `-v`, `--color` and a console, which also takes the command's `--json`."""

    @click.option("-q", "--quiet", is_flag=True, help="Show errors only.")
    @COLOR
    @click.option("-v", "--verbose", count=True, help="Show steps and details; twice: the traceback of errors too.")
    @wraps(command)
    def run(quiet: bool, verbose: int, **given: object) -> None:
        console = Console(quiet, verbose, as_json=bool(given.pop("as_json", False)))
        with explained(console):
            command(console, **given)

    return run


@contextmanager
def explained(console: Console) -> Iterator[None]:
    """Show what the block raises, and end the process with its exit status."""
    try:
        with interruptible():
            yield
    except KeyboardInterrupt as stop:
        console.show_interrupt(exit_status(stop))
        sys.exit(exit_status(stop))
    except (BrokenPipeError, click.ClickException, click.exceptions.Exit):
        raise  # click ends the run
    except Exception as error:
        explanation = error if isinstance(error, BundlerError) else unforeseen(error)
        console.show_document([explanation])
        console.show_error(explanation)
        sys.exit(explanation.exit_code)


def show_versions(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    """Callback of the flag for versions: print them and end."""
    if wanted:
        click.echo(_versions())
        ctx.exit()


def _versions() -> str:
    """The versions of bundler, TensorFlow and Python, from the metadata of installed packages."""
    from importlib.metadata import packages_distributions, version

    tensorflow = packages_distributions().get("tensorflow")
    found = f"TensorFlow {version(tensorflow[0])}" if tensorflow else "no TensorFlow"
    return f"bundler {__version__} ({found}, Python {platform.python_version()})"
