"""The line of each key and entry of a TOML file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli

from bundler.manifest.lines import lines
from tests.support.places import MANIFESTS, TESTS

DOCUMENT = (TESTS / "data" / "every-syntax.toml").read_text()
LINES = {
    ("top",): 2,
    ("a",): 3,
    ("a", "b.c"): 3,
    ("a", "b.c", "d"): 3,
    ("a", "b.c", "d", "e"): 3,
    ("a", "b.c", "d", "f"): 3,
    ("a", "b.c", "d", "f", 0): 3,
    ("a", "b.c", "d", "f", 1): 3,
    ("bundle",): 5,
    ("bundle", "text"): 6,
    ("bundle", "tags"): 9,
    ("bundle", "tags", 0): 10,
    ("bundle", "tags", 1): 12,
    ("bundle", "tags", 2): 12,
    ("bundle", "tags", 2, "x"): 12,
    ("bundle", "tags", 2, "y"): 12,
    ("bundle", "tags", 2, "y", 0): 12,
    ("bundle", "tags", 2, "y", 1): 12,
    ("bundle", "tags", 2, "y", 1, 0): 12,
    ("bundle", "tags", 2, "y", 1, 1): 13,
    ("model",): 16,
    ("model", 0): 16,
    ("model", 0, "shapes"): 17,
    ("model", 0, "shapes", "image"): 18,
    ("model", 0, "shapes", "image", 0): 18,
    ("model", 0, "shapes", "image", 1): 18,
    ("model", 0, "signature"): 19,
    ("model", 0, "signature", 0): 19,
    ("model", 0, "signature", 1): 20,
    ("model", 0, "signature", 1, "keyA"): 21,
    ("model", 0, "signature", 1, "last"): 23,
    ("model", 0, "signature", 1, "last", "key"): 23,
    ("model", 1): 25,
    ("model", 1, "signature"): 26,
    ("model", 1, "signature", 0): 27,
    ("model", 1, "signature", 0, "key"): 27,
}


def places(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every key and entry below a value, as tomli reads it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, found in inner:
        yield (*place, key)
        yield from places(found, (*place, key))


def test_every_key_and_entry_has_its_line() -> None:
    assert lines(DOCUMENT) == LINES


@pytest.mark.parametrize("text", [DOCUMENT, DOCUMENT.replace("\n", "\r\n"), "", "a=1", "\n\n[a]\n[a.b]\n[c]"])
def test_all_that_tomli_reads_is_found(text: str) -> None:
    assert set(lines(text)) == set(places(tomli.loads(text)))


@pytest.mark.parametrize(
    "path",
    [*MANIFESTS.glob("*.toml"), *(TESTS / "data" / "manifests").glob("*.toml")],
    ids=lambda path: path.stem,
)
def test_all_that_a_manifest_holds_is_found_on_a_line_with_its_name(path: Path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        read = tomli.loads(text)
    except tomli.TOMLDecodeError:
        return
    found = lines(text)
    assert set(found) == set(places(read))
    for (*_, last), line in found.items():
        assert isinstance(last, int) or last in text.splitlines()[line - 1]
