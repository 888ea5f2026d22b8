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
