"""Write `docs/OPS.md`: run the op conformance suite and list its outcomes.

TensorFlow.js must be installed in tests/node (`npm ci`); a case that fails ends in an error.

    python tests/generate/ops_page.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.support.places import ROOT


def main() -> None:
    """Run all categories, and write the page if no case is at fault."""
    from bundler.runtimes.javascript import TensorFlowJs
    from bundler.runtimes.tensorflow import Runtime
    from tests.conformance.judge import judge
    from tests.conformance.page import page
    from tests.conformance.run import Runners, run
    from tests.conformance.table import cases
    from tests.support.answers import NO_ONEDNN

    with (
        TensorFlowJs(ROOT / "tests" / "node" / "node_modules") as javascript,
        Runtime() as onednn,
        Runtime(environment=NO_ONEDNN) as plain,
        tempfile.TemporaryDirectory() as folder,
    ):
        runners = Runners(javascript, onednn, plain)
        outcomes = [
            judge(case, made)
            for category, listed in cases().items()
            for case, made in zip(listed, run(listed, runners, Path(folder, category)))
        ]
    faults = [f"{outcome.case.id}: {fault}" for outcome in outcomes for fault in outcome.faults]
    if faults:
        sys.exit("\n".join(faults))
    (ROOT / "docs" / "OPS.md").write_text(page(outcomes))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
