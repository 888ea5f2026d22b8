"""Pages with a console show what their commands print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bundler
from tests.support.broken import changed
from tests.support.pictures import GREY_RAMP, png
from tests.support.places import ROOT
from tests.support.transcripts import consoles, played, session


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with the manifests of the repository, and a small picture."""
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")
    (tmp_path / "8x8.png").write_bytes(png(GREY_RAMP))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_about_run_shows_what_happens(folder: Path) -> None:
    page = (ROOT / "docs" / "RUN.md").read_text()
    assert played(consoles(page)) == consoles(page)
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    shown = re.findall(r"^(outputs.*?) +# (.*)$", program, re.MULTILINE)
    names: dict[str, object] = {}
    exec(program, names)
    assert [(line, str(eval(line, names))) for line, _ in shown] == shown


def test_the_page_about_reports_shows_what_happens(folder: Path) -> None:
    bundler.build(folder / "manifests" / "tiny.toml", output=folder / "dist" / "previous", check=False)
    page = (ROOT / "docs" / "REPORT.md").read_text()
    assert played(consoles(page)) == consoles(page)
    assert (folder / "tiny.html").is_file()


def test_the_page_about_inspect_shows_what_happens(folder: Path) -> None:
    page = (ROOT / "docs" / "INSPECT.md").read_text()
    assert played(consoles(page)) == consoles(page)


def test_the_page_about_the_cache_shows_what_happens(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "CACHE.md").read_text()
    place = str(folder / "cache")
    monkeypatch.setenv("BUNDLER_CACHE", place)
    assert played(consoles(page)).replace(place, "/home/you/.cache/bundler") == consoles(page)


def test_the_page_about_serving_shows_what_happens(folder: Path) -> None:
    page = (ROOT / "docs" / "SERVING.md").read_text()
    (head,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    _, models = (ROOT / "manifests" / "tiny.toml").read_text().split('name = "tiny"\n', 1)
    (folder / "tiny.toml").write_text(head + models.replace('"models/', '"manifests/models/'))
    assert played(consoles(page)) == consoles(page)
    assert (folder / "dist" / "tiny" / "3" / "assets.extra" / "tf_serving_warmup_requests").is_file()


@pytest.mark.slow
def test_the_page_about_the_first_hour_shows_what_happens(folder: Path, cached_tensorflowjs: None) -> None:
    page = (ROOT / "docs" / "FIRST_HOUR.md").read_text()
    (folder / "models").symlink_to(ROOT / "manifests" / "models")
    (check,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (folder / "check.toml").write_text(f"\n{check}")
    assert _without_figures(session(consoles(page))) == _without_figures(consoles(page))
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, object] = {}
    exec(program, names)
    assert str(eval('outputs["probabilities"].shape', names)) == "(1, 10)"


@pytest.mark.slow
def test_the_page_about_other_forms_shows_what_happens(folder: Path) -> None:
    page = (ROOT / "docs" / "EXPORT.md").read_text()
    bundler.build(folder / "manifests" / "tiny.toml", output=folder / "dist" / "tiny")
    console = re.sub(r"(?m)^\$ pip .*\n", "", consoles(page))
    assert _without_figures(played(console)) == _without_figures(console)


@pytest.mark.slow
def test_the_python_service_of_the_page_about_serving_runs(folder: Path) -> None:
    bundler.build(folder / "manifests" / "tiny.toml", output=folder / "dist" / "tiny" / "3", check=False)
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "SERVING.md").read_text(), re.DOTALL)
    names: dict[str, object] = {}
    exec(program, names)
    (shown,) = re.findall(r"^(moments.*?) +# (.*)$", program, re.MULTILINE)
    assert str(eval(shown[0], names)) == shown[1]


def test_the_page_about_diff_shows_what_happens(folder: Path) -> None:
    page = (ROOT / "docs" / "DIFF.md").read_text()
    text = (ROOT / "manifests" / "tiny.toml").read_text().replace('"models/', '"manifests/models/')
    text = text.replace("[bundle]\n", '[bundle]\nweights = "variables"\n')
    text = text.replace('name = "digits"\n', 'name = "digits"\nshapes = { image = [1, 64] }\n')
    (folder / "next.toml").write_text(f'{text}\n[[model.signature]]\nkey = "statistics"\n')
    assert _without_sizes(played(consoles(page))) == _without_sizes(consoles(page))


def _without_sizes(text: str) -> str:
    """The sizes of small bundles are those of their records."""
    return re.sub(r"(?m)^  size: .*$", "  size: …", text)


def test_the_page_about_verify_shows_what_happens(folder: Path, cached_tensorflowjs: None) -> None:
    page = (ROOT / "docs" / "VERIFY.md").read_text()
    (manifest,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (folder / "shop.toml").write_text(manifest)
    (folder / "models").symlink_to(ROOT / "manifests" / "models")
    built, wrong, *others = re.findall(r"^```console\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert _without_figures(played(built)) == _without_figures(built)
    changed(folder / "dist" / "shop", folder / "changed", "edges/StatefulPartitionedCall/edges/filters/kernel", 0.5)
    assert _without_figures(played(wrong)) == _without_figures(wrong)
    assert [_without_figures(played(console)) for console in others] == [*map(_without_figures, others)]
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, object] = {}
    exec(program, names)
    shown = re.findall(r"^(found.*?) +# (.*)$", program, re.MULTILINE)
    assert [(line, str(eval(line, names))) for line, _ in shown] == shown


def _without_figures(console: str) -> str:
    """Rounding errors, and with them the output that has the largest, differ from processor to processor."""
    console = re.sub(r"^(ok|wrong)( +\S+ +)[\d.e-]+  \w+$", r"\1\2#", console, flags=re.MULTILINE)
    return re.sub(r"[\d.]+e[-+]\d+|at \[.*|\d+\.\d+ s", "#", console)
