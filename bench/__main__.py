"""`python -m bench`: measure what is named, show a table, leave a JSON document."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import click

from bench import document, table
from bench.builds import Setting
from bench.machine import facts
from bench.measure import ROOT, Failed
from bench.rows import Row
from bench.works import WORKS
from bundler.errors import BundlerError

_RESULTS = ROOT / "bench" / "results"


@click.command()
@click.argument("works", metavar="[WORK]...", nargs=-1, type=click.Choice(list(WORKS)))
@click.option("--all", "everything", is_flag=True, help="The heavy works too: minutes, and up to 10 GB of disk.")
@click.option("--runs", metavar="N", type=click.IntRange(min=1), default=5, show_default=True, help="Runs of each.")
@click.option(
    "--scratch",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=_RESULTS,
    help="Where to generate and build; all of it is removed at the end. Default: bench/results.",
)
@click.option("--json", "to", metavar="FILE", type=click.Path(path_type=Path), help="The document to write.")
@click.option(
    "--picture",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=ROOT / "docs" / "bench.svg",
    help="Where `scaling` draws; `use` draws use.svg beside it. Default: docs/bench.svg.",
)
@click.option("--predecessor", metavar="PYTHON", help="A Python that has tfjs-graph-converter, to compare with.")
def main(
    works: tuple[str, ...],
    everything: bool,
    runs: int,
    scratch: Path,
    to: Path | None,
    picture: Path,
    predecessor: str | None,
) -> None:
    """Measure each WORK: start, posenet, many, nodes, inference, composed.

    When named, also one-gb, three-gb, scaling, use, weights, loads and latency. Times are medians, with the fastest and
    the slowest run; a case that takes long is run fewer times. `ratio` is to a plain copy of what was built, with
    `sync`, in the same run. Goals are for two processors. Exit status 1 if something did not build.
    """
    if sys.platform != "linux":
        raise click.UsageError("memory is read from /proc: the bench runs on Linux")
    chosen = works or tuple(name for name, work in WORKS.items() if everything or not work.heavy)
    machine, found = facts(), {}
    for name in chosen:
        scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=scratch, prefix=f".{name}.") as folder:
            found[name] = _measure(name, Setting(runs, Path(folder).absolute(), picture, predecessor))
    document.write(to or _RESULTS / time.strftime("%Y-%m-%dT%H-%M-%S.json"), machine, runs, found)
    click.echo(table.show(found))
    click.echo("\n" + ", ".join(f"{key} {value}" for key, value in machine.items()) + "")
    if any(not row.figures for rows in found.values() for row in rows):
        sys.exit(1)


def _measure(name: str, setting: Setting) -> list[Row]:
    """The rows of a work. A failure gets a row of its own, and the other works go on."""
    rows: list[Row] = []
    try:
        for row in WORKS[name].measure(setting):
            click.echo(f"{name}: {row.case}", err=True)
            rows.append(row)
    except (Failed, BundlerError) as error:
        rows.append(Row("", {}, note=f"not built yet: {error}"))
    return rows


if __name__ == "__main__":
    main(prog_name="python -m bench")
