from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bundler.cli import main
from tests.support.places import MANIFESTS


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tiny manifest and its models; the current folder."""
    shutil.copytree(MANIFESTS / "models", tmp_path / "models")
    shutil.copy(MANIFESTS / "tiny.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bundler(line: str) -> Result:
    return CliRunner().invoke(main, line.split())


def test_a_lock_is_one_line() -> None:
    first, second = bundler("lock tiny.toml"), bundler("lock tiny.toml")
    assert (first.exit_code, first.stdout) == (0, "tiny.lock: 3 models, 7 files, 16.6 kB\n")
    assert (second.exit_code, second.stdout) == (0, "tiny.lock: up to date, 3 models, 7 files, 16.6 kB\n")
    assert bundler("lock --check -q tiny.toml").output == ""


def test_a_lock_is_a_document() -> None:
    document = json.loads(bundler("lock --json tiny.toml").stdout)
    assert list(document) == ["path", "up_to_date", "lock", "bundler", "manifest", "files", "fetched"]
    assert document["manifest"]["bundle"] == {"name": "tiny"}


@pytest.mark.parametrize("command", ["build --locked --no-check", "check --locked", "lock --check"])
def test_a_missing_lock_ends_with_3(command: str) -> None:
    done = bundler(f"{command} tiny.toml")
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr == ("error: tiny.toml: tiny.lock: there is no lock\nhint: `bundler lock tiny.toml` writes it\n")
    assert not Path("dist").exists()


@pytest.mark.parametrize("command", ["build --locked --no-check", "check --locked", "lock --check"])
def test_a_stale_lock_ends_with_3_and_says_what_has_changed(command: str) -> None:
    bundler("lock tiny.toml")
    text = Path("tiny.toml").read_text()
    Path("tiny.toml").write_text(text.replace('"moments"', '"norms"').replace('"pixels"', '"picture"'))
    done = bundler(f"{command} tiny.toml --json")
    assert done.exit_code == 3
    assert (
        done.stderr
        == """\
error: tiny.toml:17: model 'digits': signature 'serving_default': rename.image: the lock has another value \
(found "picture", expected "pixels")
error: tiny.toml:37: model 'norms': is not in the lock
error: tiny.toml:11: model: 'moments' is in the lock, but not in the manifest
hint: `bundler lock tiny.toml` writes the lock anew
"""
    )
    document = json.loads(done.stdout)
    assert (document["error"], document["exit_status"], len(document["faults"])) == ("LockError", 3, 3)


def test_sums_are_what_sha256sum_checks(project: Path) -> None:
    assert bundler("build --no-check --sums --release-version 7 tiny.toml").exit_code == 0
    bundle = project / "dist" / "tiny" / "7"
    sums = bundle / "assets.extra" / "SHA256SUMS"
    checked = subprocess.run(["sha256sum", "--check", sums], cwd=bundle, capture_output=True, text=True, check=True)
    files = sorted(path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file())
    assert checked.stdout == "".join(f"{name}: OK\n" for name in files if name != "assets.extra/SHA256SUMS")


def test_sums_change_no_other_file_and_keep_a_bundle_up_to_date(project: Path) -> None:
    bundler("build --no-check tiny.toml")
    without = {path: path.read_bytes() for path in (project / "dist").rglob("*") if path.is_file()}
    assert "up to date" not in bundler("build --no-check --sums tiny.toml").stdout
    assert {path: path.read_bytes() for path in without} == without
    assert "up to date" in bundler("build --no-check --sums tiny.toml").stdout
    assert "up to date" in bundler("build --no-check tiny.toml").stdout
    sums = project / "dist" / "tiny" / "assets.extra" / "SHA256SUMS"
    sums.write_text("")
    assert "up to date" not in bundler("build --no-check --sums tiny.toml").stdout
    assert len(sums.read_text().splitlines()) == len(without)
