"""`bundler diff` of composed signatures: steps that came or went, and no noise from the numbers of others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import bundler
from bundler.cli import main
from bundler.disk.publish import RECORD
from tests.compose.small import write
from tests.compose.test_compose import EMOTIONS

DIV = '  { op = "div", by = 255 },\n'
CLIP = '  { op = "clip", min = 0, max = 254 },\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a bundle `old`."""
    monkeypatch.chdir(tmp_path)
    bundler.build(write(tmp_path, EMOTIONS), output=tmp_path / "old")
    return tmp_path


def shown(*words: str) -> str:
    return CliRunner().invoke(main, ["diff", *words]).stdout


INSERTED = """\
old → faces.toml
  + signature emotions, step 2: clip  float32[?, 64, 64, 3]
  + 2 weights added
      emotions/1.clip/max  float32[]
      emotions/1.clip/min  float32[]
"""
REPLACED = """\
old → faces.toml
  - signature emotions, step 2: div  float32[?, 64, 64, 3]
  + signature emotions, step 2: square  float32[?, 64, 64, 3]
  - 1 weight removed
      emotions/1.div/by  float32[]
"""


@pytest.mark.parametrize(
    ("steps", "lines"), [(CLIP + DIV, INSERTED), ('  { op = "square" },\n', REPLACED)], ids=["inserted", "replaced"]
)
def test_steps_that_came_or_went_are_listed_and_those_after_them_are_the_same(
    steps: str, lines: str, folder: Path
) -> None:
    write(folder, EMOTIONS.replace(DIV, steps))
    said = shown("old", "faces.toml")
    assert said.startswith(lines)
    assert "weight" not in said.removeprefix(lines) and said.endswith("callers notice no change of signatures\n")


def test_steps_are_in_all_forms_of_a_difference(folder: Path) -> None:
    bundler.build(write(folder, EMOTIONS.replace(DIV, CLIP + DIV)), output=folder / "new")
    (step,) = json.loads(shown("old", "new", "--json"))["steps"]
    assert step == {"signature": "emotions", "kind": "added", "number": 2, "step": "clip  float32[?, 64, 64, 3]"}
    row = "| `emotions` | step 2 added: `clip  float32[?, 64, 64, 3]` | no |"
    assert row in shown("old", "new", "--markdown")
    CliRunner().invoke(main, ["report", "new", "-o", "page.html", "--against", "old"])
    assert "step 2 added: <code>clip  float32[?, 64, 64, 3]</code>" in (folder / "page.html").read_text()


def test_a_record_that_lies_about_steps_hides_no_difference(folder: Path) -> None:
    bundler.build(write(folder, EMOTIONS.replace(DIV, DIV.replace("255", "25"))), output=folder / "new")
    record = json.loads((folder / "old" / RECORD).read_text())
    (composed,) = [each for each in record["report"]["signatures"] if each["steps"]]
    for tensor in (each for step in composed["steps"] for each in step["gives"]):
        tensor["tensor"] = "emotions/1.div/RealDiv:0"
    (folder / "old" / RECORD).write_text(json.dumps(record))
    assert "emotions/1.div/by  float32[]" in shown("old", "new")
