"""What the README and the docs say is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tomli
from click.testing import CliRunner

from bundler.cli import main
from bundler.manifest import read
from tests.generate.manifest_page import page
from tests.support.places import ROOT

README = (ROOT / "README.md").read_text()


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


@pytest.mark.parametrize("line", re.findall(r"^\$ (bundler [^#>\n]*)", README, re.MULTILINE))
def test_its_commands_run(line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")
    monkeypatch.chdir(tmp_path)
    _, *arguments = line.split()
    if "dist/tiny" in arguments:
        assert CliRunner().invoke(main, ["build", "manifests/tiny.toml"]).exit_code == 0
    ended = CliRunner().invoke(main, arguments)
    assert ended.exit_code == 0, ended.output


def test_the_files_it_links_to_are_there() -> None:
    missing = [
        path for path in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in path and not (ROOT / path).exists()
    ]
    assert missing == []


def test_the_reference_of_the_manifest_is_made_from_the_fields() -> None:
    assert (ROOT / "docs" / "MANIFEST.md").read_text() == page()
