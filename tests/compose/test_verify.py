"""`bundler verify` runs composed signatures step by step in TensorFlow.js, and finds a wrong wire."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import manifest
from bundler.comparison.origins import Origins
from bundler.comparison.references import Incomparable
from bundler.comparison.references.browser import Browser
from bundler.comparison.references.chain import Chain
from bundler.comparison.subject import of_bundle
from bundler.report.verification import Verification
from bundler.runtimes.failures import Refused
from bundler.runtimes.javascript import TensorFlowJs
from bundler.verbs import verify as verb
from tests.compose.pictures import gradient, png
from tests.compose.small import write
from tests.compose.test_compose import CLASSIFY, EMOTIONS, FACES, OPEN, built


def verdicts(found: Verification) -> dict[str, str]:
    return {each.key: each.verdict for each in found.signatures}


def test_composed_signatures_agree_with_their_steps_in_tensorflowjs(tmp_path: Path, tensorflowjs_modules: Path) -> None:
    built(tmp_path, EMOTIONS + FACES + OPEN)
    found = bundler.verify(tmp_path / "faces.toml", output=tmp_path / "out", tfjs=tensorflowjs_modules)
    keys = ("emotions", "face_detect", "face_emotion", "faces", "open", "twice")
    assert verdicts(found) == dict.fromkeys(keys, "ok")
    assert {each.inputs for each in found.signatures if each.key in ("emotions", "faces")} == {"drawn images"}


def test_a_wrong_wire_is_found(tmp_path: Path, tensorflowjs_modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built(tmp_path, EMOTIONS)
    right = manifest.read(tmp_path / "faces.toml")
    path = write(tmp_path, EMOTIONS.replace("by = 255", "by = 25"))
    wrong = replace(manifest.read(path), text=right.text, composed=manifest.read(path).composed)
    monkeypatch.setattr(type(wrong), "digest", right.digest)
    found = verb.verify(wrong, output=tmp_path / "out", tfjs=tensorflowjs_modules)
    assert verdicts(found) == {"emotions": "wrong", "face_detect": "ok", "face_emotion": "ok"}


OUTER = """
[[signature]]
key = "outer"
inputs = { pictures = "string[?]" }
outputs = ["classes"]
steps = [{ call = "emotions" }]
"""


def test_bundles_without_their_manifest_are_compared_with_images_if_their_steps_decode_such(tmp_path: Path) -> None:
    there = built(tmp_path, EMOTIONS.replace("by = 255", "by = 25")).rename(tmp_path / "there")
    here = built(tmp_path, EMOTIONS + FACES + OUTER)
    same = bundler.verify(here, against=here)
    composed = [each for each in same.signatures if each.key in ("emotions", "faces", "outer")]
    assert [(each.verdict, each.inputs) for each in composed] == [("ok", "drawn images")] * 3
    assert bundler.verify(here, against=there).signatures["emotions"].verdict == "wrong"


@pytest.mark.parametrize("check", ["", '[[check]]\nsignature = "gray"\nfile = "gray.npz"\n'])
def test_images_that_no_user_gave_are_no_reason_to_refuse_a_bundle(check: str, tmp_path: Path) -> None:
    gray = """
[[signature]]
key = "gray"
inputs = { image = "string" }
outputs = ["probabilities"]
steps = [{ op = "decode_image", channels = 1 }, { op = "cast", dtype = "float32" }, { call = "face_emotion" }]
"""
    np.savez(tmp_path / "gray.npz", **{"inputs/image": np.array(png(gradient(64, 64)))})
    path = write(tmp_path, f"{gray}{check}[serving]\nwarmup = true\n")
    count = bundler.build(path, output=tmp_path / "out").checks["warm-up"].detail.partition(" in ")[0]
    assert count == ("3 requests" if check else "2 requests")  # the drawn images are not of 64 x 64 pixels


def test_a_bundle_alone_does_not_hold_its_steps(tmp_path: Path, javascript: TensorFlowJs) -> None:
    subject = of_bundle(built(tmp_path, EMOTIONS))
    browser = Browser(javascript, Origins(subject.bundle, subject.report, tmp_path))
    with pytest.raises(Incomparable, match="name its manifest instead"):
        Chain(browser, javascript, subject, lambda: None).answer(subject.bundle.endpoint("emotions"), {}, None)


def test_what_javascript_lacks_is_unchecked(tmp_path: Path, tensorflowjs_modules: Path) -> None:
    (tmp_path / "labels.txt").write_text("\n".join("abcdefg"))
    built(tmp_path, CLASSIFY)
    found = bundler.verify(tmp_path / "faces.toml", output=tmp_path / "out", tfjs=tensorflowjs_modules)
    assert found.signatures["classify"].verdict == "unchecked"


def test_without_a_decoder_javascript_says_which_package_it_lacks(tmp_path: Path, tensorflowjs_modules: Path) -> None:
    package = tensorflowjs_modules / "@tensorflow" / "tfjs" / "dist" / "tf.min.js"
    alone = tmp_path / "tf.min.js"
    alone.write_bytes(package.read_bytes())
    with TensorFlowJs(alone) as running, pytest.raises(Refused, match="install @napi-rs/canvas"):
        running.step({"op": "decode_image", "channels": 3}, [np.array(b"x", object)])
