"""Make itself reads the rules."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bundler import manifest
from bundler.errors import BundlerError
from bundler.report.depfile import rule

NAMES = ["m", "a b", "a#b", "a$b$(x)", "a%b", "a:b", "a=b", "a*b?[c]", "~m", "a\\b", "a\\ b", "a&'\"(b)!,", "ä", "%"]


def spec(folder: str) -> manifest.Manifest:
    document = {"bundle": {"name": "b"}, "model": [{"name": "m", "source": folder}, {"name": "n", "source": "n.zip#x"}]}
    return manifest.of(document, Path("b.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_make_builds_again_if_and_only_if_a_file_is_newer(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = f"./{name}" if name.startswith("~") else name
    output, model = Path("out", name, "saved_model.pb"), Path(name, "model.json")
    for path in (output, model, Path("b.toml"), Path("n.zip"), Path("b.lock")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (1e9, 1e9))
    made = rule(spec(source), Path("out", name), {"m": ["model.json"], "n": ["gone.json"]}, Path("b.lock"))
    target = made.partition(": \\\n")[0]
    Path("Makefile").write_text(f"all: {target.replace(chr(92) + '%', '%')}\n{made}\n{target}:\n\techo build\n")
    assert _make() == 0
    for path in (model, Path("b.toml"), Path("n.zip"), Path("b.lock")):
        os.utime(path, (1.1e9, 1.1e9))
        assert _make() == 1, path
        os.utime(path, (1e9, 1e9))
    model.unlink()  # a file that is gone is no error of Make
    assert _make() == 1


def _make() -> int:
    """0 if all is up to date, 1 if not, 2 for an error."""
    done = subprocess.run(["make", "--question"], capture_output=True, text=True, check=False)
    assert done.returncode < 2, done.stderr
    return done.returncode


def test_what_is_fetched_is_not_listed() -> None:
    fetched = manifest.of(
        {"bundle": {"name": "b"}, "model": [{"name": "m", "source": "npm:a@1.0.0/m"}]}, Path("x/../b.toml")
    )
    assert rule(fetched, Path("dist/b"), {"m": ["model.json"]}) == "dist/b/saved_model.pb: \\\n  b.toml\n\nb.toml:\n"


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a;b", "a|b", "a\\"])
def test_a_path_that_make_cannot_write_is_an_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("{}")
    with pytest.raises(BundlerError, match="a dependency file of Make cannot name this path"):
        rule(spec(name), Path("out"), {"m": [name], "n": []})
