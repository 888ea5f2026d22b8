from __future__ import annotations

import pytest

from bundler.report import Entries, ModelReport, Report, SignatureReport, TensorReport
from bundler.report.markdown import code, markdown, table

IMAGE = TensorReport("image", "cat/image:0", "float32", (1, None, 3))
SCORES = TensorReport("a|b", "cat/scores:0", "float32", None)


def test_a_report_is_two_tables() -> None:
    signature = SignatureReport("serving_default", ("cat",), Entries([IMAGE]), Entries([IMAGE, SCORES]), "predict")
    model = ModelReport("cat", "npm:pets@1.0.0/cat", "sha256:0123", 1234, 5_000_000, {})
    assert (
        markdown(Report(None, "pets", Entries([signature]), Entries([model])))
        == """\
| signature | model | inputs | outputs |
| --- | --- | --- | --- |
| `serving_default` | `cat` | `image` float32[1, ?, 3] | `image` float32[1, ?, 3]<br>`a\\|b` float32 ? |

| model | source | weights | nodes | digest |
| --- | --- | --- | --- | --- |
| `cat` | `npm:pets@1.0.0/cat` | 5,000,000 bytes | 1,234 | `sha256:0123` |
"""
    )


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("plain", "`plain`"),
        ("<script>", "`<script>`"),
        ("a`b``c", "``` a`b``c ```"),
        ("`", "`` ` ``"),
        ("two\nlines\r\x1b[31m", "`two lines  [31m`"),
        ("", "` `"),
    ],
)
def test_a_name_of_a_stranger_stays_in_its_code_span(text: str, span: str) -> None:
    assert code(text) == span


def test_a_cell_keeps_its_row() -> None:
    assert table(["a"], [["x | y"]]).splitlines() == ["| a |", "| --- |", "| x \\| y |"]
