"""Write `docs/LAYERS.md`: run the layers suite and say what came of it.

TensorFlow.js must be installed in tests/node (`npm ci`) and the extra `layers` in Python; a case that fails ends in an
error.

    python tests/generate/layers_page.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Run all cases of all libraries, and write the page if no case is at fault."""
    from tests.layers.case import ORIGINS
    from tests.layers.page import page
    from tests.layers.run import roads
    from tests.layers.suite import outcomes
    from tests.layers.table import cases

    listed = [case for family in cases().values() for case in family]
    modules = ROOT / "tests" / "node" / "node_modules"
    with roads() as ways, tempfile.TemporaryDirectory() as folder:
        found = [each for origin in ORIGINS for each in outcomes(origin, listed, ways, modules, Path(folder))]
    faults = [f"{each.origin} {each.case.id}: {fault}" for each in found for fault in each.faults]
    if faults:
        sys.exit("\n".join(faults))
    (ROOT / "docs" / "LAYERS.md").write_text(page(found))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
