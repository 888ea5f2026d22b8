"""The text of a manifest: what a person reads, and what TOML makes of it."""

from __future__ import annotations

import pytest
import tomli

from bundler.report import TensorReport
from bundler.scaffold.text import Draft, LeftOut, lines

IMAGE = TensorReport("image", "image:0", "float32", (1, 224, 224, 3))
SCORES = TensorReport("Identity:0", "y:0", "float32", (1, 1000))


def test_a_manifest_reads_as_a_person_would_have_written_it() -> None:
    pets = Draft("pets", "models/pets", "sha256:00", [IMAGE], [SCORES], "pets", {"Identity:0": "scores", "a": "b"})
    plain = Draft("plain", "plain.json", "sha256:11", [IMAGE], [TensorReport("mask", "mask:0", "bool", None)])
    broken = LeftOut("broken", "b.json", "model 'broken': a first fault\nmodel 'broken': a second")
    assert lines("zoo", [pets, broken, plain]) == MANIFEST


MANIFEST = """\
#:schema ./bundler.schema.json
# Editors check this file with that schema: `bundler schema > bundler.schema.json` writes it.
# Names to the right of `rename` are proposals: the models' own say little.

[bundle]
name = "zoo"

[[model]]
name = "pets"
source = "models/pets"
digest = "sha256:00"
# in   image       float32[1, 224, 224, 3]
# out  Identity:0  float32[1, 1000]

[[model.signature]]
key = "pets"

[model.signature.rename]
"Identity:0" = "scores"
a = "b"

# Left out, as it cannot be converted:
#   model 'broken': a first fault
#   model 'broken': a second
# [[model]]
# name = "broken"
# source = "b.json"

[[model]]
name = "plain"
source = "plain.json"
digest = "sha256:11"
# in   image  float32[1, 224, 224, 3]
# out  mask   bool ?
"""


@pytest.mark.parametrize(
    "text", ['"""', "'", "\\u0041\\", "a\nb\r\n[x]", "\t\0\x1b\x7f\x85\u2028\u202e", "ü 日本 🐈", "#=[]{}"]
)
def test_any_text_comes_back_from_toml(text: str) -> None:
    draft = Draft(text, text, text, [TensorReport(text, text, text, None)], [], text, {text: text})
    written = lines(text, [draft, LeftOut(text, text, text)])
    (model,) = tomli.loads(written)["model"]
    assert (model["name"], model["source"], model["digest"]) == (text, text, text)
    assert model["signature"] == [{"key": text, "rename": {text: text}}]
    assert tomli.loads(written)["bundle"] == {"name": text}


def test_comments_are_cut_to_what_a_person_reads() -> None:
    many = [TensorReport(f"y_{number}", "", "bool", ()) for number in range(1025)]
    written = lines("b", [Draft("m", "s", "d", [TensorReport("x" * 10_000, "", "bool", ())], many)])
    assert "# out  … and 1,005 more" in written
    assert max(map(len, written.splitlines())) < 250
    broken = lines("b", [LeftOut("m", "s", "\n".join(["x" * 10_000] * 100))])
    assert max(map(len, broken.splitlines())) < 250
    assert len(broken.splitlines()) < 20
