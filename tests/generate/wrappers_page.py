"""Write `docs/WRAPPERS.md`: what is said of each JavaScript wrapper in the files of `tests/compose/wrappers`.

python -m tests.generate.wrappers_page > docs/WRAPPERS.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import tomli

FOLDER = Path(__file__).parents[1] / "compose" / "wrappers"
PROSE = FOLDER / "prose.md"
PROJECTS = ("tfjs-models", "human", "face-api", "others")
FITS = ("whole", "partly", "no")


class Entry(NamedTuple):
    """A file and its table `wrapper`."""

    path: Path
    about: Mapping[str, Any]

    @property
    def row(self) -> str:
        said = self.about.get("left_out") or self.about.get("note", "")
        name = self.path.relative_to(FOLDER).as_posix()
        manifest = "" if self.about["fit"] == "no" else f"[{self.path.name}](../tests/compose/wrappers/{name})"
        return f"| [{self.about['title']}]({self.about['source']}) | {self.about['fit']} | {said} | {manifest} |"


def entries() -> list[Entry]:
    """All files, by project, and whole ones first."""
    found = [Entry(path, tomli.loads(path.read_text())["wrapper"]) for path in sorted(FOLDER.rglob("*.toml"))]
    order = [PROJECTS.index, FITS.index]
    return sorted(found, key=lambda entry: (order[0](entry.path.parent.name), order[1](entry.about["fit"])))


def _rows() -> Iterator[str]:
    yield "| wrapper | as steps | left out; remarks | manifest |"
    yield "|---|---|---|---|"
    yield from (entry.row for entry in entries())


def _count() -> str:
    fits = [entry.about["fit"] for entry in entries()]
    whole, partly, no = (fits.count(fit) for fit in FITS)
    return f"Of {len(fits)} wrappers {whole} are steps as a whole, {partly} in part, and {no} not at all."


def page() -> str:
    """The whole page."""
    return PROSE.read_text().replace("<!-- count -->", _count()).replace("<!-- table -->", "\n".join(_rows()))


if __name__ == "__main__":
    sys.stdout.write(page())
