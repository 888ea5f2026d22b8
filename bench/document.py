"""The JSON that a run leaves behind, to be compared with that of another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.rows import Row

__all__ = ["write"]


def write(path: Path, facts: Mapping[str, object], runs: int, found: Mapping[str, Sequence[Row]]) -> None:
    """Write one document.

        {"machine": {"processors": 2, …}, "runs": 5, "rows": [{"work": "posenet", "case": "no check",
         "figures": {"seconds": 0.44, …}, "goals": [{"figure": "seconds", "limit": 0.7, "at_least": false,
         "met": true}], "note": ""}, …]}

    Figures are seconds, megabytes (`_mb`) and ratios (`times_…`).
    """
    rows = [{"work": work, **_plain(row)} for work, rows in found.items() for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": facts, "runs": runs, "rows": rows}, indent=2) + "\n")


def _plain(row: Row) -> dict[str, object]:
    goals = [{**goal._asdict(), "met": goal.met(row.figures)} for goal in row.goals]
    return {"case": row.case, "figures": row.figures, "goals": goals, "note": row.note}
