"""The page on fine-tuning: its programs run."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.elsewhere import call
from tests.support.places import ROOT


def test_the_programs_of_the_page_run(tmp_path: Path) -> None:
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "FINE_TUNING.md").read_text(), re.DOTALL)
    assert len(blocks) == 5
    call(_run, str(tmp_path), "\n".join(blocks), environment={})


def _run(folder: str, program: str) -> None:
    import os

    os.chdir(folder)
    exec(program, {"__name__": "page"})
