"""The words of the package: plain technical English. Comments, docstrings, help and errors say who does what."""

from __future__ import annotations

import re

import pytest

from tests.support.places import ROOT

AVOIDED = re.compile(r"\b(told|tells?(?!\()|telling|nobody|whoever)\b", re.IGNORECASE)
"""`tell(` is a method of files."""
FILES = sorted(path for path in (ROOT / "bundler").rglob("*") if path.suffix in (".py", ".js"))


@pytest.mark.parametrize(
    ("text", "found"),
    [("what the user is told", ["told"]), ("Nobody tells", ["Nobody", "tells"]), ("stream.tell(), intellect", [])],
)
def test_the_pattern_finds_whole_words(text: str, found: list[str]) -> None:
    assert AVOIDED.findall(text) == found


def test_the_package_avoids_words_of_the_old_dialect() -> None:
    lines = (
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in FILES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if AVOIDED.search(line)
    )
    assert list(lines) == []
