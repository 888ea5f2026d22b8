"""The rows as a table of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.rows import Goal, Row

__all__ = ["show"]

_COLUMNS = {
    "runs": ("runs", "{runs}"),
    "seconds": ("seconds (min to max)", "{seconds:.2f} ({fastest:.2f} to {slowest:.2f})"),
    "cpu_seconds": ("CPU", "{cpu_seconds:.2f}"),
    "own_mb": ("own MB", "{own_mb:.0f}"),
    "largest_mb": ("largest MB", "{largest_mb:.0f}"),
    "copy_seconds": ("cp + sync", "{copy_seconds:.2f}"),
    "times_copy": ("ratio", "{times_copy:.1f}"),
}
"""By the figure that a row must have to fill it: heading and content."""

_SHOWN = {*_COLUMNS, "fastest", "slowest"}


def show(found: Mapping[str, Sequence[Row]]) -> str:
    """Every row of every work; figures without a column of their own stand at the end."""
    heads = ["work", "case", *(head for head, _ in _COLUMNS.values()), "also"]
    lines = [heads, *(_cells(work, row) for work, rows in found.items() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _cells(work: str, row: Row) -> list[str]:
    filled = [form.format(**row.figures) if figure in row.figures else "" for figure, (_, form) in _COLUMNS.items()]
    return [work, row.case, *filled, "; ".join(_also(row))]


def _also(row: Row) -> Iterator[str]:
    yield from (f"{_words(name)} {_number(value)}" for name, value in row.figures.items() if name not in _SHOWN)
    yield from (_verdict(goal, row.figures) for goal in row.goals)
    if row.note:
        yield row.note


def _verdict(goal: Goal, figures: Mapping[str, float]) -> str:
    verdict = "met" if goal.met(figures) else "MISSED"
    return f"goal {_words(goal.figure)} {'≥' if goal.at_least else '≤'} {goal.limit:g}: {verdict}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _words(figure: str) -> str:
    return figure.replace("_", " ").replace(" mb", " MB")
