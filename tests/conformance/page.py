"""docs/OPS.md: a row for each op, from what came of its cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tests.conformance.judge import Outcome
from tests.rewrites.fusions.page import section

__all__ = ["page"]

HEAD = """# Ops

What bundler makes of every op that TensorFlow.js lists, and how that was tried: {cases} small models of {ops} ops, each
run by TensorFlow.js in Node, by TensorFlow as it is, and by TensorFlow as bundler imports it, with oneDNN and without.
`tests/conformance` holds the cases; its run writes this page (`python tests/generate/ops_page.py`).

- **imported as**: the ops in the bundle, if they are not the op itself.
- **error**: the largest distance of bundler's result from TensorFlow's and TensorFlow.js', relative where numbers are
  beyond 1, as the next power of ten. Whole numbers, truth values and strings must be equal; of random numbers, shape,
  dtype and range are compared.
- **note**: if TensorFlow.js differs from TensorFlow, bundler gives TensorFlow's result. An example shows both.

| op | imported as | cases | error | note |
|---|---|---:|---|---|
"""


def page(outcomes: Iterable[Outcome]) -> str:
    """The page's text."""
    by_op: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_op.setdefault(outcome.case.op, []).append(outcome)
    rows = [_row(op, by_op[op]) for op in sorted(by_op, key=str.casefold)]
    return HEAD.format(cases=sum(map(len, by_op.values())), ops=len(by_op)) + "".join(rows) + section()


def _row(op: str, outcomes: Sequence[Outcome]) -> str:
    cells = (f"`{op}`", _imported(op, outcomes), str(len(outcomes)), _error(outcomes), "; ".join(_notes(outcomes)))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _imported(op: str, outcomes: Sequence[Outcome]) -> str:
    made = list(dict.fromkeys(name for outcome in outcomes for name in outcome.imported))
    return "" if made in ([op], []) else ", ".join(f"`{name}`" for name in made)


def _error(outcomes: Sequence[Outcome]) -> str:
    """The power of ten above the largest error; 1e-6 at least, since the last digit is the machine's."""
    if any(outcome.case.refused for outcome in outcomes):
        return "refused"
    if any(outcome.case.drawn for outcome in outcomes):
        return "random"
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if not errors:
        return "equal"
    return next((f"≤ 1e{power}" for power in range(-6, 0) if max(errors) <= 10.0**power), "large")


def _notes(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Each note once, with its first example."""
    listed: set[str] = set()
    for outcome in outcomes:
        if outcome.note and outcome.note not in listed:
            listed.add(outcome.note)
            where = "" if outcome.case.refused else f"{outcome.case.name}: "
            yield f"{where}{outcome.note}" + (f" ({outcome.example})" if outcome.example else "")
