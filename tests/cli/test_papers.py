"""The files that `bundler build` writes about a run."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bundler.cli import main
from tests.support.places import MANIFESTS


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(MANIFESTS / "models", tmp_path / "models")
    shutil.copy(MANIFESTS / "tiny.toml", tmp_path)
    (tmp_path / "one.toml").write_text('[bundle]\nname = "one"\n[[model]]\nname = "m"\nsource = "models/moments"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def build(line: str) -> Result:
    return CliRunner().invoke(main, ["build", "--no-check", *line.split()])


def test_a_summary_has_each_bundle_and_each_failure_after_what_was_there() -> None:
    Path("s.md").write_text("# Release\n\n")
    Path("bad.toml").write_text('[bundle]\nname = "one|two"\n')
    assert build("one.toml bad.toml --summary s.md").exit_code == 2
    assert build("one.toml --summary s.md").exit_code == 0
    text = re.sub(r" in \d\.\d\d s", "", Path("s.md").read_text())
    tables = """\
| signature | model | inputs | outputs |
| --- | --- | --- | --- |
| `serving_default` | `m` | `batch` float32[?, 8] | `is_outlier` bool[?, 8]<br>`mean` float32[8]<br>\
`normalised` float32[?, 8]<br>`outliers` int32[?]<br>`variance` float32[8] |

| model | source | weights | nodes | digest |
| --- | --- | --- | --- | --- |
| `m` | `models/moments` | 80 bytes | 20 | \
`sha256:3abb2cee494df2a043d642a238e3d47eec68918ff1664c3bfca0f1454b538d87` |
"""
    size = sum(path.stat().st_size for path in Path("dist").rglob("*") if path.is_file())
    figures = f"1 signature, 1 model, {size / 1000:.1f} kB"
    hint = "a manifest has a table [[model]] for each model, with its name and its source"
    legal = "letters, digits and _ . -, beginning with a letter, digit or _"
    assert (
        text
        == f"""\
# Release

### `one.toml`: built

`dist/one`: {figures}

{tables}
### `bad.toml`: failed with ManifestError, exit status 2

- `bad.toml: model: is required`<br>hint: `{hint}`
- `bad.toml:2: bundle.name: is not a legal value (found 'one|two', expected {legal})`

### `one.toml`: up to date

`dist/one`: up to date, {figures}

{tables}
"""
    )


def test_a_summary_that_cannot_be_written_is_an_error() -> None:
    done = build("one.toml --summary gone/s.md --json")
    assert (done.exit_code, json.loads(done.stdout)["exit_status"]) == (1, 1)
    assert done.stderr == "error: gone/s.md: the summary cannot be written (found No such file or directory)\n"


def test_make_builds_a_bundle_again_if_a_shard_has_changed() -> None:
    done = build("tiny.toml one.toml --depfile deps.mk")
    assert done.exit_code == 0, done.output
    rules = Path("deps.mk").read_text()
    assert rules.startswith("dist/tiny/saved_model.pb: \\\n  tiny.toml \\\n  models/digits/model.json \\\n")
    Path("Makefile").write_text("all: dist/tiny/saved_model.pb dist/one/saved_model.pb\ninclude deps.mk\n%.pb:\n\t:\n")

    def stale() -> bool:
        return subprocess.run(["make", "--question"], capture_output=True, check=False).returncode == 1

    assert not stale()
    shard = Path("models/digits/group1-shard2of2.bin")
    shard.touch()
    assert stale()


def test_the_lock_is_a_dependency_of_a_locked_build() -> None:
    CliRunner().invoke(main, ["lock", "one.toml"])
    build("one.toml --depfile deps.mk")
    assert "one.lock" not in Path("deps.mk").read_text()
    build("one.toml --locked --depfile deps.mk")
    assert "  one.lock \\\n" in Path("deps.mk").read_text()


def test_a_statement_names_the_files_of_the_bundle_and_those_it_was_made_from() -> None:
    assert build("one.toml --sums --provenance one.json").exit_code == 0
    first = Path("one.json").read_bytes()
    statement = json.loads(first)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    subjects = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
    assert subjects == {
        name: hashlib.sha256(Path("dist/one", name).read_bytes()).hexdigest()
        for name in ("assets.extra/bundle.json", "saved_model.pb")
    }
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["manifest"]["model"] == [{"name": "m", "source": "models/moments"}]
    assert [each["name"] for each in definition["resolvedDependencies"]] == [
        "one.toml",
        "m/model.json",
        "m/group1-shard1of1.bin",
    ]
    digest = hashlib.sha256(Path("models/moments/model.json").read_bytes()).hexdigest()
    assert definition["resolvedDependencies"][1]["digest"] == {"sha256": digest}
    assert "up to date" in build("one.toml --provenance one.json").stdout
    assert Path("one.json").read_bytes() == first


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("one.toml --provenance one.toml", "the output would replace one of its own inputs"),
        ("one.toml --depfile models", "this is a folder"),
    ],
)
def test_such_a_file_never_replaces_an_input(line: str, says: str) -> None:
    before = Path("one.toml").read_text()
    done = build(line)
    assert (done.exit_code, Path("one.toml").read_text()) == (1, before)
    assert says in done.stderr


def test_a_statement_is_about_one_bundle() -> None:
    assert build("one.toml tiny.toml --provenance a.json").exit_code == 2
