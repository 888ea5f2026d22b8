"""The page in a browser: all inside of the window, nothing asked of a network, usable by keyboard and screen reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import bundler
from bench.manifests import human_models, npm_source, write
from bundler.page import render
from bundler.verbs.report import report
from tests.page.contents import EVERYTHING, spoiled
from tests.support.broken import changed
from tests.support.chromium import Browser, Look, browsing, program

CHROMIUM = program()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]

LOOKS = [Look(width, scheme) for width in (390, 1440) for scheme in ("light", "dark")]
NAMES = ["tiny", pytest.param("human", marks=pytest.mark.network), pytest.param("all", marks=pytest.mark.network)]

OPEN = "for (const each of document.querySelectorAll('details')) each.open = true"
OUTSIDE = """
[...document.querySelectorAll('body *')]
  .filter((each) => !each.closest('.skip, .unseen, thead') && !each.parentElement.closest('svg'))
  .filter((each) => each.getBoundingClientRect().right > innerWidth || each.getBoundingClientRect().left < 0)
  .map((each) => each.outerHTML.slice(0, 100))
"""
SIGNATURES = """
[...document.querySelectorAll('article.signature')].map((each) => [
  each.dataset.key,
  ...[...each.querySelectorAll('.tensors')].map((side) =>
    [...side.querySelectorAll('tbody tr')].map((row) =>
      [...row.querySelectorAll('code')].map((cell) => cell.textContent))),
])
"""
FAINT = """
(() => {
  const light = (color) => color.match(/[\\d.]+/g).slice(0, 3)
    .map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const ratio = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const behind = (each) => {
    for (; each; each = each.parentElement) {
      const rect = each.tagName === 'text' && each.parentElement.querySelector(':scope > rect:not(.frame)');
      if (rect) return getComputedStyle(rect).fill;
      const color = getComputedStyle(each).backgroundColor;
      if (color !== 'rgba(0, 0, 0, 0)') return color;
    }
  };
  return [...document.querySelectorAll('body *')]
    .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
    .filter((each) => !each.closest('title, .frame'))
    .map((each) => {
      const style = getComputedStyle(each);
      return [ratio(light(each.closest('svg') ? style.fill : style.color), light(behind(each))), each.outerHTML];
    })
    .filter(([found]) => found < 4.5)
    .map(([found, html]) => `${found.toFixed(1)} ${html.slice(0, 100)}`);
})()
"""
FOCUSED = "document.activeElement.tagName + ' ' + document.activeElement.textContent.trim()"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert CHROMIUM is not None
    with browsing(CHROMIUM, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def bundle(
    request: pytest.FixtureRequest, built: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    if request.param != "all":
        return built(request.param)
    folder = tmp_path_factory.mktemp("all")
    manifest = write(folder / "all.toml", {name: npm_source(path) for name, path in human_models().items()})
    bundler.build(manifest, output=folder / "all", jobs=2, check=False)
    return folder / "all"


@pytest.fixture(scope="module")
def page(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "page.html"
    report(bundle, output=file)
    return file


@pytest.fixture(scope="module")
def rich(built: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of `tiny` with every section, and some outputs that are wrong."""
    folder = tmp_path_factory.mktemp("rich")
    changed(built("tiny"), folder / "old", "digits/StatefulPartitionedCall/digits/hidden/kernel")
    verified = bundler.verify(built("tiny"), against=folder / "old")
    (folder / "verified.json").write_text(verified.to_json())
    report(built("tiny"), output=folder / "p.html", against=folder / "old", verification=folder / "verified.json")
    return folder / "p.html"


@pytest.mark.parametrize("bundle", NAMES, indirect=True)
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.width}-{look.scheme}")
def test_all_of_the_page_is_inside_of_the_window_and_nothing_is_asked_for(
    look: Look, page: Path, bundle: Path, browser: Browser
) -> None:
    browser.open(page, look)
    browser.evaluate(OPEN)
    assert browser.evaluate("document.documentElement.scrollWidth") <= look.width
    assert browser.evaluate(OUTSIDE) == []
    assert browser.requests == [page.resolve().as_uri()]
    assert page.stat().st_size < 1_000_000


@pytest.mark.parametrize("bundle", NAMES, indirect=True)
def test_the_signatures_are_those_of_the_bundle(page: Path, bundle: Path, browser: Browser) -> None:
    browser.open(page, LOOKS[0])
    assert browser.evaluate(SIGNATURES) == [
        [
            each.key,
            *([[one.name, one.tensor, one.type] for one in side] for side in (each.inputs, each.outputs)),
        ]
        for each in bundler.inspect(bundle).signatures
    ]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.width}-{look.scheme}")
def test_sections_with_errors_and_changes_are_inside_of_the_window_and_easy_to_read(
    look: Look, rich: Path, browser: Browser
) -> None:
    browser.open(rich, look)
    browser.evaluate(OPEN)
    assert browser.evaluate("document.documentElement.scrollWidth") <= look.width
    assert browser.evaluate(OUTSIDE) == []
    assert browser.evaluate(FAINT) == []
    light = browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(251, 250, 247)"
    assert light == (look.scheme == "light")


def test_a_screen_reader_finds_landmarks_headings_and_pictures_with_names(rich: Path, browser: Browser) -> None:
    browser.open(rich, LOOKS[1])
    tree = browser.tree()
    landmarks = {role: name for role, name in tree if role in ("banner", "navigation", "main", "contentinfo")}
    assert landmarks == {"banner": "", "navigation": "Sections", "main": "", "contentinfo": ""}
    regions = [name for role, name in tree if role == "region"]
    assert regions == ["Changes", "Signatures", "Verification", "Models", "Weights", "Ops", "Files"]
    assert [(role, name) for role, name in tree if role in ("image", "table", "article", "link") and not name] == []
    levels = browser.evaluate("[...document.querySelectorAll('h1, h2, h3')].map((each) => +each.tagName[1])")
    assert levels[0] == 1 and all(after - before <= 1 for before, after in pairwise(levels))
    assert browser.evaluate("document.querySelectorAll('[id]').length") == browser.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map((each) => each.id)).size"
    )


def test_a_keyboard_reaches_everything_that_opens(rich: Path, browser: Browser) -> None:
    browser.open(rich, LOOKS[3])
    reached = []
    for _ in range(browser.evaluate("document.querySelectorAll('a, summary').length")):
        browser.press("Tab")
        reached.append(browser.evaluate(FOCUSED))
    assert reached[:2] == ["A Skip to the content", "A Changes"]
    assert len(set(reached)) == len(reached)
    assert browser.evaluate("document.activeElement.parentElement.open") is False
    browser.press("Enter")
    assert browser.evaluate("document.activeElement.parentElement.open") is True


def test_hostile_names_do_nothing(tmp_path: Path, browser: Browser) -> None:
    act = "document.title='taken'"
    text = f'"\'><script>{act}</script><img src=http://127.0.0.1:9/x onerror="{act}">'
    page = tmp_path / "page.html"
    page.write_text(render(spoiled(EVERYTHING, text)))
    browser.open(page, LOOKS[0])
    found: Any = browser.evaluate("[document.scripts.length, document.images.length, document.title]")
    assert found == [0, 0, f"{text}pets: what is in this bundle"]
    assert browser.evaluate("document.documentElement.scrollWidth") <= 390
    assert browser.requests == [page.resolve().as_uri()]
    assert browser.evaluate("getComputedStyle(document.body).maxWidth") == "1216px"  # the style sheet is allowed
