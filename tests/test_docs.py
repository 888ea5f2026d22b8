"""What the README and the docs say is what happens."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import tomli
from click.testing import CliRunner

import bundler
from bundler.cli import main
from bundler.manifest import read
from tests.generate import manifest_page, steps_page, wrappers_page
from tests.generate.manifest_page import page
from tests.support.places import ROOT

README = (ROOT / "README.md").read_text()


def test_the_manifest_that_the_page_begins_with_is_one(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", page(), re.DOTALL)
    (tmp_path / "models").symlink_to(ROOT / "manifests" / "models")
    (tmp_path / "shop.toml").write_text(shown)
    built = bundler.build(tmp_path / "shop.toml", output=tmp_path / "shop")
    assert built.signatures.names == ("read", "read_bytes")
    assert {line.partition("]")[0] for line in shown.splitlines() if line.startswith("[")} == {
        title.partition("]")[0] for title in manifest_page.TABLES if "<" not in title
    }


@pytest.mark.network
def test_the_output_that_it_shows_is_that_of_the_first_command(tmp_path: Path) -> None:
    (shown,) = re.findall(
        r"<!-- output of `bundler build manifests/posenet.toml` -->\n```text\n(.*?)```", README, re.DOTALL
    )
    output = tmp_path / "dist" / "posenet"
    command = [sys.executable, "-m", "bundler", "build", "manifests/posenet.toml", "-o", str(output)]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert _without_time(printed.replace(str(output), "dist/posenet")) == _without_time(shown)


def _without_time(text: str) -> str:
    return re.sub(r"in \d+\.\d+ s", "in … s", text).strip()


def test_its_manifest_is_one(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "shown.toml").write_text(shown)
    assert read(tmp_path / "shown.toml").models[0].name == tomli.loads(shown)["model"][0]["name"]


COMMANDS = [
    pytest.param(line, marks=[pytest.mark.slow] if "verify" in line or "export" in line else [])
    for line in re.findall(r"^\$ (bundler [^#>\n]*)", README.split("## Use it")[1], re.MULTILINE)
]


@pytest.mark.parametrize("line", COMMANDS)
def test_its_commands_run(
    line: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if "verify" in line:
        request.getfixturevalue("cached_tensorflowjs")
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")
    monkeypatch.chdir(tmp_path)
    _, *arguments = shlex.split(line)
    if "dist/tiny" in arguments or "verify" in arguments:
        assert CliRunner().invoke(main, ["build", "manifests/tiny.toml"]).exit_code == 0
    ended = CliRunner().invoke(main, arguments)
    assert ended.exit_code == 0, ended.output


def test_its_python_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shown = re.findall(r"^(report.*?) +# (.*)$", block, re.MULTILINE)
    names: dict[str, object] = {}
    exec(block, names)
    assert [(line, str(eval(line, names))) for line, _ in shown] == shown


def test_the_page_on_first_manifests_shows_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    written = (ROOT / "docs" / "INIT.md").read_text()
    (shown,) = re.findall(r"```toml\n(.*?)```", written, re.DOTALL)
    assert CliRunner().invoke(main, ["init", "manifests/models"]).stdout == shown
    (block,) = re.findall(r"```python\n(.*?)```", written, re.DOTALL)
    names: dict[str, object] = {}
    exec(block, names)
    assert eval("made.left_out, made.report.signatures.names", names) == ((), ("serving_default",))


PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], key=lambda page: page.relative_to(ROOT).as_posix())
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@every_page
def test_the_files_that_a_page_links_to_are_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@every_page
def test_the_paths_that_a_page_names_are_there(page: Path) -> None:
    named = re.findall(r"`((?:bundler|tests|bench|docs|manifests)/[\w./-]+)`", page.read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []


@every_page
def test_make_knows_the_targets_that_a_page_names(page: Path) -> None:
    known = re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = set(re.findall(r"(?:`|\$ )make ([a-z][\w-]*)", page.read_text()))
    assert {target for target in named if not target.startswith("dist")} <= set(known)


@pytest.mark.parametrize("guide", ["add-an-op", "add-a-rewrite", "add-a-source", "add-a-layer"])
def test_the_code_of_a_guide_runs(guide: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "guides" / f"{guide}.md").read_text(), re.DOTALL)
    names: dict[str, object] = {"__name__": guide}
    exec("from __future__ import annotations\n" + "\n".join(blocks), names)
    assert set(blocks)


def test_the_nightly_run_has_the_rows_of_the_matrix() -> None:
    (rows,) = re.findall(r"^MATRIX \?= (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    nightly = (ROOT / ".github" / "workflows" / "nightly.yml").read_text()
    assert re.findall(r"{ row: (\S+), python", nightly) == rows.split()
    assert all(row.startswith(f"{python}-") for row, python in re.findall(r"row: (\S+), python: \"(.*)\"", nightly))


def test_the_reference_of_steps_is_made_from_the_fields() -> None:
    assert (ROOT / "docs" / "STEPS.md").read_text() == steps_page.page()


def test_the_page_on_wrappers_is_made_from_their_files() -> None:
    assert (ROOT / "docs" / "WRAPPERS.md").read_text() == wrappers_page.page()


def test_the_reference_of_the_manifest_is_made_from_the_fields() -> None:
    assert (ROOT / "docs" / "MANIFEST.md").read_text() == page()
