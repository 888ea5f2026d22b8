"""One page of HTML about a bundle, for the people who review it.

The page is one file without scripts, whose Content-Security-Policy allows its own style sheet alone. Pictures are SVG.
What strangers have named goes through `text.visible` and is escaped, in every place of every template.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from bundler import __version__
from bundler.page.changes import split
from bundler.page.flow import Flow
from bundler.page.treemap import Treemap
from bundler.page.usage import op_rows, rewritten_rows
from bundler.page.verdicts import marked, spelled, ticks
from bundler.report import Report
from bundler.report.difference import Difference
from bundler.report.verification import Verification
from bundler.report.verification import spelled as value

__all__ = ["Contents", "render"]


@dataclass(frozen=True)
class Contents:
    """What a page shows.

    `weights` has the bytes of each weight by its name, `flows` the steps of composed signatures by key, `files` the
    sha256 of each file of the bundle.
    """

    report: Report
    weights: Mapping[str, int]
    flows: Mapping[str, Flow] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    difference: Difference | None = None
    verification: Verification | None = None


def render(contents: Contents) -> str:
    """The page. The same contents give the same text."""
    # Late: the help of the command needs none of it.
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from bundler.page.text import visible

    environment = Environment(
        loader=PackageLoader("bundler.page"),
        autoescape=True,
        finalize=visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = environment.get_template("page.css").render()
    return environment.get_template("page.html").render(
        contents=contents,
        report=contents.report,
        treemap=Treemap.of(contents.weights),
        ops=op_rows(contents.report.models),
        rewritten=rewritten_rows(contents.report.models),
        marked=marked,
        spelled=spelled,
        split=split,
        ticks=ticks(),
        value=value,
        version=__version__,
        style=Markup(style),
        style_digest=_digest(style),
    )


def _digest(style: str) -> str:
    """The source expression of a policy that allows this style sheet."""
    return f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}"
