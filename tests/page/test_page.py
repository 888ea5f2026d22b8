"""The page of `bundler report`: the same bytes, no address, and no name that leaves its place."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bundler
from bundler.cli import main
from bundler.page import render
from bundler.page.reading import read_verification
from bundler.page.text import visible
from bundler.verbs.report import report
from tests.page.contents import EVERYTHING, spoiled
from tests.support.broken import changed
from tests.support.places import MANIFESTS

HOSTILE = [
    "<script>alert(1)<\\script>",
    "\"'><img src=x onerror=alert(1)>",
    "<\\title><\\style><h1>",
    "{{ 7 * 7 }}{% raw %}",
    "]]><!-- --><![CDATA[",
    "&lt;&#60;&amp",
    "\u202egnp.elif\u2066\u200f",
    "\x00\x07\x1b[31m\r\n\t\x85\ud800",
]


class Structure(HTMLParser):
    """The tags of a page with the names of their attributes, and the comments."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[object] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.found.append("a comment")


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_strangers_stay_text(text: str) -> None:
    page = render(spoiled(EVERYTHING, text))
    assert Structure(page).found == Structure(render(EVERYTHING)).found
    assert all(char.isprintable() or char == "\n" for char in unescape(page))
    assert str(visible(text)) in unescape(page)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("conv2d/κ×", "conv2d/κ×"),
        ("a\u202eb", r"a\u202eb"),
        ("a\x00\n", r"a\x00\n"),
        ("\ud800", r"\ud800"),
        ("é\N{ZERO WIDTH SPACE}", r"é\u200b"),
        ("x" * 400, "x" * 400),
        ("x" * 12345, "x" * 400 + "… (12,345 characters)"),
        (7, 7),
        (None, None),
    ],
)
def test_every_character_of_a_name_is_visible(given: object, shown: object) -> None:
    assert visible(given) == shown


def test_the_page_has_what_the_contents_have() -> None:
    text = unescape(re.sub(r"<style>.*</style>", "", render(EVERYTHING), flags=re.DOTALL))
    shown = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    for words in (
        "pets signature 1 model 1 nodes 3 weights 8 Bytes",
        "Callers notice 3 changes from previous , 10 Bytes before, 12 Bytes now.",
        "input x changed: a → b callers notice",
        "cat other files old → new",
        "Weights: 1 of 2 changed",
        "w float32[2] 1 of 2 0.5 inf",
        "1 weight added",
        "1 op in other numbers",
        "1 node with other inputs or attributes cat/softmax",
        "faces regress, 1 step, model cat",
        "image cat/image:0 float32[?, 3]",
        "y output image, decode_image image float32[?, 3]",
        "faces tf.saved_model.load random wrong a reason inf y: inf",
        "faces : y wrong another inf [0, 1] nan 2.5",
        "source models/cat digest sha256:00 written by a program signature from the file stored as 1 × float32",
        "1 note on cat it was changed",
        "layer size share weights-of-a-cat 8 Bytes 100.0 %",
        "MatMul 2 1 Relu 1 1",
        "Prelu Relu , Neg 1 1",
        "saved_model.pb 00",
    ):
        assert words in shown


def test_the_page_asks_for_nothing() -> None:
    page = render(EVERYTHING)
    assert re.findall(r"(?:src|href|action|data|poster)=\"([^\"#][^\"]*)", page) == []
    assert re.findall(r"url\(|@import|<script|<link|javascript:| style=| on\w+=", page) == []
    assert "default-src 'none'" in page


def run(line: str) -> Result:
    return CliRunner().invoke(main, line.split())


@pytest.fixture
def tiny(built: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with the bundle `tiny`."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(built("tiny"), tmp_path / "tiny").name)


def test_the_same_bundle_gives_the_same_bytes_wherever_it_lies(tiny: Path, tmp_path: Path) -> None:
    assert run("report tiny -o one.html --against tiny").exit_code == 0
    (tmp_path / "far" / "away").mkdir(parents=True)
    shutil.move(tiny, tmp_path / "far" / "away" / "tiny")
    there = tmp_path / "far" / "away" / "tiny"
    assert report(there, output="two.html", against=there).name == "tiny"
    assert Path("one.html").read_bytes() == Path("two.html").read_bytes()
    assert str(tmp_path) not in Path("two.html").read_text()


def test_a_bundle_in_a_version_folder_has_the_name_of_its_manifest(tiny: Path) -> None:
    tiny.rename("7")
    report("7", output="page.html")
    assert "<h1>tiny</h1>" in Path("page.html").read_text()


def test_a_previous_bundle_and_a_verification_have_sections(tiny: Path) -> None:
    changed(tiny, Path("old"), "digits/StatefulPartitionedCall/digits/hidden/kernel")
    said = run("verify tiny --against old --json")
    assert said.exit_code == 6
    Path("said.json").write_text(said.stdout)
    assert run("report tiny -o page.html --against old --verification said.json").exit_code == 0
    page = Path("page.html").read_text()
    assert "Weights: 1 of 15 changed" in page
    assert len(re.findall(r'<circle class="(ok|wrong)"', page)) == 9
    assert len(re.findall(r'<circle class="wrong"', page)) == 1
    assert 'bad">Some outputs are wrong' in page


def test_a_page_verifies_the_bundle_of_a_manifest(tmp_path: Path, cached_tensorflowjs: None) -> None:
    page, manifest = tmp_path / "page.html", MANIFESTS / "tiny.toml"
    built = bundler.build(manifest, output=tmp_path / "tiny", check=False)
    own = tmp_path / "own.toml"
    own.write_text(manifest.read_text().replace('name = "tiny"', f'name = "tiny"\noutput = "{built.output}"', 1))
    shutil.copytree(MANIFESTS / "models", tmp_path / "models")
    done = run(f"report {own} -o {page} --verify")
    assert (done.exit_code, 'good">No output is wrong' in page.read_text()) == (0, True)
    run(f"build {own} --verify --report {tmp_path}/built.html --no-check")
    assert (tmp_path / "built.html").read_text() == page.read_text()
    changed(built.output, tmp_path / "wrong", "digits/StatefulPartitionedCall/digits/hidden/kernel")
    own.write_text(own.read_text().replace(str(built.output), str(tmp_path / "wrong")))
    done = run(f"report {own} -o {page} --verify --force")
    assert (done.exit_code, 'bad">Some outputs are wrong' in page.read_text()) == (6, True)
    assert "signature 'serving_default'" in done.stderr
    assert run(f"report {own} -o {page} --verify --verification x.json").exit_code == 2


def test_savedmodels_of_other_programs_have_a_page_too(tiny: Path, tmp_path: Path) -> None:
    shutil.rmtree(tiny / "assets.extra")
    report(tiny.resolve(), output="page.html")
    page = Path("page.html").read_text()
    assert str(tmp_path) not in page
    assert "<h1>tiny</h1>" in page
    assert "The record names no op that was rewritten." in page
    assert 'data-key="edge_gradients"' in page


def test_a_verification_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert EVERYTHING.verification is not None
    (tmp_path / "said.json").write_text(EVERYTHING.verification.to_json())
    assert read_verification(tmp_path / "said.json", EVERYTHING.report) == EVERYTHING.verification


def verification(**changes: object) -> str:
    """A document with one signature of `tiny`."""
    signature = {"key": "moments", "model": "", "road": "", "reference": "", "inputs": "", "verdict": "ok"}
    return json.dumps({"ok": True, "bundle": "tiny", "reference": "", "signatures": [signature | changes]})


NO_VERIFICATION = "this is not what `bundler verify --json` writes"
UNUSABLE = [
    ("", f"{NO_VERIFICATION} (found Expecting value: line 1 column 1 (char 0))"),
    ("[" * 100_000, NO_VERIFICATION),
    ("\xff\xfe", NO_VERIFICATION),
    ("[]", NO_VERIFICATION),
    ('{"error": "SourceError", "faults": []}', "hint: the verification ended with an error"),
    (verification(verdict="fine"), "signatures.0.verdict: Input should be 'ok', 'wrong' or 'unchecked'"),
    (verification(outputs=[{"name": "mean"}]), "signatures.0.outputs.0.verdict"),
    (verification(key="cats"), "this verification is about another bundle (found signature 'cats')"),
]


@pytest.mark.parametrize(("text", "said"), UNUSABLE)
def test_a_file_that_is_no_verification_of_the_bundle_is_refused(text: str, said: str, tiny: Path) -> None:
    Path("said.json").write_text(text, encoding="latin-1")
    done = run("report tiny -o page.html --verification said.json")
    assert done.exit_code == 4
    assert said in done.stderr
    assert not Path("page.html").exists()


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("report nowhere -o page.html", 4, "there is no such file or folder"),
        ("report tiny -o page.html --against nowhere", 4, "there is no such file or folder"),
        ("report tiny -o page.html --verification nowhere", 4, "nowhere: cannot be read"),
        ("report tiny -o tiny/page.html --force", 1, "the page would lie in a bundle, and change it"),
        ("report tiny -o tiny --force", 1, "the page would lie in a bundle, and change it"),
        ("report tiny -o tiny/../old.html", 1, "there is such a file"),
    ],
)
def test_what_cannot_be_done_says_why_and_writes_nothing(line: str, status: int, said: str, tiny: Path) -> None:
    Path("old.html").write_text("mine")
    done = run(line)
    assert (done.exit_code, said in done.stderr) == (status, True), done.stderr
    assert Path("old.html").read_text() == "mine"
    assert sorted(path.name for path in Path().iterdir()) == ["old.html", "tiny"]


def test_the_json_is_the_report_that_the_page_shows(tiny: Path) -> None:
    done = run("report tiny -o page.html --json")
    assert json.loads(done.stdout) == json.loads(bundler.inspect(tiny).to_json())
    assert json.loads(run("report tiny -o page.html --json").stdout)["exit_status"] == 1


def test_an_old_page_is_replaced_with_force(tiny: Path) -> None:
    Path("old.html").write_text("mine")
    assert run("report tiny -o old.html --force").exit_code == 0
    assert Path("old.html").read_text().startswith("<!doctype html>")


def test_a_build_writes_the_page_of_its_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    manifest = MANIFESTS / "tiny.toml"
    for _ in range(2):  # the second time it is up to date
        assert run(f"build {manifest} -o tiny --no-check --report built.html").exit_code == 0
    assert run("report tiny -o page.html").exit_code == 0
    assert Path("built.html").read_bytes() == Path("page.html").read_bytes()
    shutil.copy(manifest, "own.toml")
    shutil.copytree(MANIFESTS / "models", "models")
    refused = run("build own.toml --no-check --report own.toml")
    assert (refused.exit_code, "replace one of its own inputs" in refused.stderr) == (1, True)
    assert run("build own.toml other.toml --report page.html").exit_code == 2
