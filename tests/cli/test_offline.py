"""`--offline` of the commands that take any source: what was fetched once is found in the cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bundler.cli import main
from tests.sources.conftest import Server
from tests.support.places import MANIFESTS

DIGITS = MANIFESTS / "models" / "digits"


def _init(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["init", *arguments])


@pytest.mark.parametrize("command", [["init"], ["inspect"], ["inspect", "--graph", "image"]])
@pytest.mark.parametrize("path", ["digits/model.json", "models.zip#digits"])
def test_an_address_is_fetched_once_and_then_found_offline(
    command: list[str], path: str, server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUNDLER_CACHE", str(cache))
    shutil.copytree(DIGITS, server.folder / "digits")
    shutil.make_archive(str(server.folder / "models"), "zip", server.folder, "digits")

    def ended(*options: str) -> Result:
        return CliRunner().invoke(main, [*command, f"{server.url}/{path}", *options])

    refused = ended("--offline")
    assert (refused.exit_code, server.asked) == (4, [])
    assert "and this run is offline" in refused.stderr
    first = ended()
    asked = list(server.asked)
    assert (first.exit_code, bool(asked)) == (0, True)
    kept = ended("--offline")
    assert (kept.exit_code, kept.stdout, server.asked) == (0, first.stdout, asked)


def test_a_package_is_found_offline_by_its_exact_version(
    registry: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUNDLER_CACHE", str(cache))
    assert _init("npm:@tiny/digits").exit_code == 0
    refused = _init("npm:@tiny/digits", "--offline")
    assert (refused.exit_code, refused.stderr) == (
        4,
        "error: npm:@tiny/digits: only npm knows the version, and this run is offline (found @latest)\n"
        "hint: give an exact version: npm:@tiny/digits@1.2.3\n",
    )
    asked = list(registry.asked)
    assert _init("npm:@tiny/digits@1.0.0", "--offline").exit_code == 0
    assert registry.asked == asked
