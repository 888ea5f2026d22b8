"""What every command stands in: a console, an exit status for what went wrong, and the versions of it all."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

import click

from bundler import __version__
from bundler.cli.console import Console
from bundler.cli.process import exit_status, interruptible
from bundler.errors import BundlerError, unforeseen

__all__ = ["CUDA", "explained", "processors", "show_versions", "shown"]

CUDA = click.option("--cuda", is_flag=True, help="Let TensorFlow use GPUs where a build runs it; they are hidden else.")


def shown(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `-q`, `-v` and a console."""

    @click.option("-q", "--quiet", is_flag=True, help="Show errors only.")
    @click.option("-v", "--verbose", count=True, help="Show steps and details; twice: the traceback of errors too.")
    @wraps(command)
    def run(quiet: bool, verbose: int, **given: object) -> None:
        console = Console(quiet, verbose)
        with explained(console):
            command(console, **given)

    return run


@contextmanager
def explained(console: Console) -> Iterator[None]:
    """The one place where what went wrong becomes an exit status."""
    try:
        with interruptible():
            yield
    except KeyboardInterrupt as stop:
        console.show_interrupt()
        sys.exit(exit_status(stop))
    except (BrokenPipeError, click.ClickException, click.exceptions.Exit):
        raise  # click ends the run
    except Exception as error:
        explanation = error if isinstance(error, BundlerError) else unforeseen(error)
        console.show_error(explanation)
        sys.exit(explanation.exit_code)


def show_versions(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    """What a flag for the versions calls: print them and end."""
    if wanted:
        click.echo(_versions())
        ctx.exit()


def processors() -> int:
    """How many of the machine's this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _versions() -> str:
    """Bundler's version, TensorFlow's and Python's, from the installed packages' own records."""
    from importlib.metadata import packages_distributions, version

    tensorflow = packages_distributions().get("tensorflow")
    found = f"TensorFlow {version(tensorflow[0])}" if tensorflow else "no TensorFlow"
    return f"bundler {__version__} ({found}, Python {platform.python_version()})"
