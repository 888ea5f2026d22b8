"""A release as docs/RELEASE.md tells it, and the examples of examples/release."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bundler
from tests.sources.conftest import Server, registry, server
from tests.support.places import MANIFESTS, ROOT
from tests.support.transcripts import consoles, session

__all__ = ["registry", "server"]

EXAMPLE = ROOT / "examples" / "release"


@pytest.fixture
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two models; the current one, with a cache of its own."""
    folder = tmp_path / "pets"
    for name in ("edges", "moments"):
        shutil.copytree(MANIFESTS / "models" / name, folder / "models" / name)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "cache"))
    return folder


def test_the_page_about_a_release_shows_what_happens(pets: Path, registry: Server, tensorflowjs_modules: Path) -> None:
    page = (ROOT / "docs" / "RELEASE.md").read_text()
    (check,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (pets / "check.toml").write_text(f"\n{check}")
    (pets / "node_modules").symlink_to(tensorflowjs_modules)
    shown = consoles(page)
    assert session(shown) == shown
    reviewed = (pets / "release-9.html").read_text()
    assert re.findall('<article class="signature"[^>]*data-key="([^"]*)"', reviewed) == ["digits", "edges", "moments"]
    warmup = pets.parent / "ci" / "release" / "7" / "assets.extra" / "tf_serving_warmup_requests"
    assert [warmup.read_bytes().count(key) for key in (b"digits", b"edges", b"moments")] == [1, 1, 1]


# The examples --------------------------------------------------------------------------------------


@pytest.fixture
def example(pets: Path) -> Path:
    """The same folder with the files of the example, a manifest and its lock."""
    for path in EXAMPLE.iterdir():
        shutil.copy(path, pets)
    (pets / "pets.toml").write_text(
        '[bundle]\nname = "pets"\n[[model]]\nname = "edges"\nsource = "models/edges"\n'
        '[[model]]\nname = "moments"\nsource = "models/moments"\n'
        '[[check]]\nsignature = "moments"\nfile = "moments.npz"\n'
    )
    assert make("lock").returncode == 0
    return pets


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = f"BUNDLER={sys.executable} -m bundler"
    return subprocess.run(["make", program, *arguments], capture_output=True, text=True, check=False)


def change(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])


def test_make_builds_what_has_changed_and_releases_what_was_locked(example: Path) -> None:
    first = make()
    assert first.returncode == 0, first.stderr
    assert "Nothing to be done" in make().stdout
    shard = example / "models" / "edges" / "group1-shard1of1.bin"
    change(shard)
    assert "dist/pets: 2 signatures" in make().stdout
    assert "Nothing to be done" in make().stdout
    refused = make("release", "VERSION=7")
    assert (refused.returncode, (example / "release").exists()) == (2, False)
    assert "model 'edges': group1-shard1of1.bin: the file is not the one in the lock" in refused.stderr
    change(shard)
    assert make("release", "VERSION=7").returncode == 0
    assert (example / "release" / "pets-7.intoto.json").is_file()
    check = ["sha256sum", "--check", "assets.extra/SHA256SUMS"]
    assert subprocess.run(check, cwd=example / "release" / "pets" / "7", capture_output=True, check=True).stdout


def test_the_container_gets_the_layout_that_the_server_watches(example: Path) -> None:
    """TensorFlow Serving loads `/models/$MODEL_NAME/<version>`: tensorflow/serving's tf_serving_entrypoint.sh."""
    make("release", "VERSION=7")
    text = (example / "Dockerfile").read_text()
    steps = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    assert [name for name, _ in steps] == ["FROM", "COPY", "ENV", "EXPOSE"]
    arguments = dict(steps)
    source, target = arguments["COPY"].split()
    assert target == f"/models/{arguments['ENV'].removeprefix('MODEL_NAME=')}"
    versions = [path.name for path in (example / source).iterdir()]
    assert versions == ["7"]
    assert (example / source / "7" / "saved_model.pb").is_file()


EXPRESSIONS = {"github.run_number": "12", "github.workspace": "."}


@pytest.mark.slow
def test_the_steps_of_the_workflow_run(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yaml = pytest.importorskip("yaml")
    workflow: dict[str, Any] = yaml.safe_load(_evaluated((example / "workflow.yml").read_text()))
    assert workflow["permissions"] == {"contents": "read"}
    make()
    bundler.verify("pets.toml", against="dist/pets", record=True)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "bundler").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bundler "$@"\n')
    (bin_folder / "bundler").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    for job in workflow["jobs"].values():
        assert job["runs-on"] and job["timeout-minutes"] <= 30
        for step in job["steps"]:
            assert ("run" in step) != bool(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.get("uses", "")))
            if "run" in step and "pip install" not in step["run"]:
                script = f"set -eo pipefail\n{step['run']}"
                done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
                assert done.returncode == 0, done.stderr
    assert (example / "out" / "pets" / "12" / "saved_model.pb").is_file()
    assert (tmp_path / "summary.md").read_text().startswith("### `pets.toml`: built\n")


def _evaluated(text: str) -> str:
    """A workflow with the values of its expressions; `hashFiles` alone is left."""
    found = re.sub(r"\$\{\{ (.*?) \}\}", lambda match: EXPRESSIONS.get(match[1], match[0]), text)
    assert set(re.findall(r"\$\{\{ (\w+)", found)) <= {"hashFiles"}
    return found
