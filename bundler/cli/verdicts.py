"""What a comparison found, as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bundler.cli.screen import Line
from bundler.report.verification import spelled

if TYPE_CHECKING:
    from bundler.report.verification import OutputVerdict, SignatureVerdict, Verification

__all__ = ["verdict_lines"]

_STYLES = {"ok": "green", "wrong": "bold red", "unchecked": "yellow"}
_NAME_WIDTH = 40
"""Characters of the longest key that decides how far errors are indented."""


def verdict_lines(found: Verification, details: bool) -> Iterator[Line]:
    """A line for each signature, and a summary. `details` adds each output, and the inputs."""
    width = min(_NAME_WIDTH, max((len(each.key) for each in found.signatures), default=0))
    roads = len({each.road for each in found.signatures}) > 1
    for each in found.signatures:
        yield from _signature_lines(each, width, roads, details)
    yield []
    yield from ([("recorded  ", "dim"), (str(path), "")] for path in found.recorded)
    yield _summary(found)


def _signature_lines(each: SignatureVerdict, width: int, roads: bool, details: bool) -> Iterator[Line]:
    road = [(f"  {each.road:<19}", "dim")] if roads else []
    line = [(f"{each.verdict:<9}", _STYLES[each.verdict]), (f"  {each.key:<{width}}", ""), *road]
    worst = max((output for output in each.judged if output.error is not None), key=_error, default=None)
    yield [*line, (f"  {_spelled(each.error):>7}", ""), (f"  {worst.name}" if worst else "", "dim")]
    if each.why:
        yield [(f"           {each.why}", "yellow")]
    if details and each.inputs:
        yield [(f"           {each.inputs}", "dim")]
    yield from (_output_line(step) for step in each.steps if details or step.verdict == "wrong")
    blind = sum(step.verdict == "unchecked" for step in each.steps)
    if blind and not details:
        yield [
            (
                f"           {blind} of {len(each.steps)} results of its steps are unchecked: -v has the reasons",
                "yellow",
            )
        ]
    for output in each.outputs:
        if details or output.verdict == "wrong" or (output.why and not each.why):
            yield _output_line(output)


def _output_line(output: OutputVerdict) -> Line:
    named = [(f"           {output.verdict:<9}", _STYLES[output.verdict]), (f"  {output.name}", "")]
    if output.at is None:
        return [*named, (f": {output.why}", "")]
    at = ", ".join(map(str, output.at))
    values = f": {_spelled(output.error)} at [{at}], {spelled(output.found)} for {spelled(output.expected)}"
    return [*named, (values, ""), (f"; {output.why}" if output.why else "", "yellow")]


def _error(output: OutputVerdict) -> float:
    return output.error if output.error is not None else 0.0


def _spelled(error: float | None) -> str:
    return "–" if error is None else "equal" if error == 0 else f"{error:.1e}"


def _summary(found: Verification) -> Line:
    counts = Counter[str](each.verdict for each in found.signatures)
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _STYLES if counts[verdict])
    errors = [each.error for each in found.signatures if each.verdict == "ok" and each.error is not None]
    largest = f"; largest error {_spelled(max(errors))}" if errors else ""
    return [(str(found.bundle), "bold"), (f" against {found.reference}: {said}{largest}; {found.seconds:.1f} s", "")]
