"""python -m tests.fuzz.run [--count N] [--seed S] [--kind KIND]: inputs by the thousand, and what came of them.

A failure is shrunk, and written as a folder that can be moved into tests/hostile.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.inputs import KINDS
from tests.fuzz.oracle import Failure, Input, Oracle

__all__ = ["SHARES", "fuzz"]

SHARES = {"mutants": 45, "graphs": 20, "mutated graphs": 15, "manifests": 10, "layers": 5, "bundles": 5}
"""Of a hundred inputs."""
BATCH = 500
"""Inputs drawn at a time. Hypothesis remembers all of a batch, and stops at its first failure."""
FAILURES = Path("fuzz-failures")


def fuzz(oracle: Oracle, kind: str, count: int, number: int) -> tuple[Input, str] | None:
    """Judge `count` inputs of a kind; the first that fails, as small as it can be made, and how it fails."""
    last: list[tuple[Input, str]] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(KINDS[kind])
    def judge(given_input: Input) -> None:
        try:
            oracle.judge(given_input)
        except Failure as failure:
            last[:] = [(given_input, str(failure))]
            raise

    try:
        judge()
    except Failure:
        return last[0]
    return None


def main() -> int:
    """Run, and give the exit status: 1 if something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--kind", choices=KINDS)
    chosen = parser.parse_args()
    _say(f"seed {chosen.seed}: repeat with --seed {chosen.seed} --count {chosen.count}")
    shares = {chosen.kind: 100} if chosen.kind else SHARES
    started, failed, kinds = time.perf_counter(), 0, Counter[str]()
    with Oracle() as oracle:
        for kind, share in shares.items():
            wanted = chosen.count * share // 100
            for batch, first in enumerate(range(0, wanted, BATCH)):
                failure = fuzz(oracle, kind, min(BATCH, wanted - first), chosen.seed + batch)
                kinds[kind] += min(BATCH, wanted - first)
                if failure is not None:
                    failed += 1
                    _write(kind, f"{chosen.seed + batch}", *failure)
            _say(f"{kind}: {kinds[kind]} inputs, {time.perf_counter() - started:.0f} s")
    outcomes = ", ".join(f"{outcome}: {count}" for outcome, count in oracle.counts.most_common())
    _say(f"{sum(oracle.counts.values())} judged ({outcomes}), {failed} failed; the slowest took {oracle.slowest:.2f} s")
    return 1 if failed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _write(kind: str, number: str, failing: Input, what: str) -> None:
    """A failure as a hostile case without `expected.txt`, which its author writes."""
    folder = FAILURES / f"{kind.replace(' ', '-')}-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in failing.files.items():
        path = folder / name.removeprefix("model/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "case.toml").write_text('error = "ConversionError"\n')
    _say(f"FAILED, see {folder}:\n{what}")


if __name__ == "__main__":
    sys.exit(main())
