"""`bundler verify` holds each step of a composed signature against TensorFlow.js: a wrong step shows.

The bundle of `RIGHT` is verified by manifests that differ from it in one step: to a verification, that is a bundle with
a wrong step. The differences are small, and so is what the models after them make of most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

import bundler
from bundler import manifest
from bundler.cli.verdicts import verdict_lines
from bundler.comparison import Case, Comparison, Road
from bundler.comparison.origins import Origins
from bundler.comparison.references import Incomparable
from bundler.comparison.references.browser import Browser
from bundler.comparison.references.chain import Chain
from bundler.comparison.seams import walked
from bundler.comparison.subject import Subject, of_bundle
from bundler.compose.names import Ref
from bundler.report.entries import Entries
from bundler.report.verification import SignatureVerdict, Verification
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.compose.pictures import gradient, png
from tests.compose.small import write

RIGHT = """
[[signature]]
key = "chain"
inputs = { image = "string" }
outputs = ["count", "boxes", "scores", "classes", "rest"]
steps = [
  { op = "decode_image", as = "pixels" },
  { op = "resize_bilinear", size = [256, 256] },
  { op = "div", by = 127.5 },
  { op = "sub", by = 1 },
  { call = "face_detect" },
  { op = "concat", of = ["scores_fine", "scores_coarse"], axis = 1 },
  { op = "reshape", shape = [-1] },
  { op = "sigmoid", as = "all_scores" },
  { op = "concat", of = ["boxes_fine", "boxes_coarse"], axis = 1 },
  { op = "decode_boxes", input_size = 256, strides = [16, 32], anchors = [2, 6], \
size_scale = 32, as = "all_boxes" },
  { op = "non_max_suppression", of = ["all_boxes", "all_scores"], \
max_output_size = 40, iou_threshold = 0.1, score_threshold = 0.6, as = ["kept", "count"] },
  { op = "gather", of = ["all_scores", "kept"], as = "scores" },
  { op = "gather", of = ["all_boxes", "kept"], as = "boxes" },
  { op = "crop_and_resize", of = ["pixels", "boxes"], size = [64, 64] },
  { op = "div", by = 255, as = "crops" },
  { op = "grayscale", weights = [0.3, 0.6, 0.1] },
  { call = "face_emotion" },
  { op = "arg_max", as = "classes" },
  { op = "letterbox", of = "pixels", size = [100, 100] },
  { op = "cast", dtype = "int32" },
  { op = "slice", begin = [0, 1, 0, 0], size = [1, 98, 100, 3], as = "rest" },
]
"""

SUB, DIV = '{ op = "sub", by = 1 },', '{ op = "div", by = 127.5 },'

WRONG = {
    "sub before div": (f"{DIV}\n  {SUB}", f"{SUB}\n  {DIV}", "step 3, sub"),
    "another divisor": ("by = 127.5", "by = 127", "step 3, div"),
    "corners": ("size = [256, 256]", "size = [256, 256], align_corners = true", "step 2, resize_bilinear"),
    "centers": ("size = [256, 256]", "size = [256, 256], half_pixel_centers = true", "step 2, resize_bilinear"),
    "red alone": ("weights = [0.3, 0.6, 0.1]", "weights = [0.31, 0.6, 0.09]", "step 16, grayscale"),
    "coarse first": ('["scores_fine", "scores_coarse"]', '["scores_coarse", "scores_fine"]', "step 6, concat"),
    "size of boxes": ("size_scale = 32", "size_scale = 32.01", "step 10, decode_boxes: all_boxes"),
    "overlap": ("iou_threshold = 0.1", "iou_threshold = 0.11", "step 11, non_max_suppression: kept"),
    "score": ("score_threshold = 0.6", "score_threshold = 0.61", "step 11, non_max_suppression: kept"),
    "other scores": (
        '["all_scores", "kept"], as = "sc',
        '["all_scores", "count"], as = "sc',
        "step 12, gather: scores",
    ),
    "nearest": ("size = [64, 64]", 'size = [64, 64], method = "nearest"', "step 14, crop_and_resize"),
    "other crops": ("size = [64, 64]", "size = [64, 64], extrapolation_value = 1", "step 14, crop_and_resize"),
    "order": ('op = "arg_max"', 'op = "arg_max", axis = 0', "step 18, arg_max: classes"),
    "border": ("size = [100, 100]", 'size = [100, 100], sides = "end"', "step 19, letterbox"),
    "rounding": ('dtype = "int32"', 'dtype = "float32"', "step 20, cast"),
    "one row": ("begin = [0, 1, 0, 0]", "begin = [0, 0, 0, 0]", "step 21, slice: rest"),
}

Verify: TypeAlias = "Callable[..., SignatureVerdict]"


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    path = write(tmp_path_factory.mktemp("seams"), RIGHT)
    bundler.build(path, output=path.parent / "out")
    return of_bundle(path.parent / "out")._replace(manifest=manifest.read(path))


@pytest.fixture
def chain(subject: Subject, javascript: TensorFlowJs, tmp_path: Path) -> Callable[[str], Chain]:
    """The reference of the bundle if this were its manifest."""

    def of(signatures: str) -> Chain:
        assert subject.manifest is not None
        other = subject.manifest.path.with_name("other")
        other.mkdir(exist_ok=True)
        described = subject._replace(manifest=manifest.read(write(other, signatures)))
        browser = Browser(javascript, Origins(subject.bundle, subject.report, tmp_path, subject.base))
        return Chain(browser, javascript, described, decoder=lambda: None)

    return of


@pytest.fixture
def verify(subject: Subject, chain: Callable[[str], Chain], runtime: Runtime) -> Verify:
    """The verdict on the bundle if this were its manifest."""

    def run(signatures: str, rtol: float | None = None) -> SignatureVerdict:
        comparison = Comparison((Road("session", runtime),), chain(signatures))
        (outcome,) = comparison.outcomes(subject.bundle.endpoint("chain"), "", Case(PICTURE, rtol=rtol))
        return outcome.verdict

    return run


PICTURE = {"image": np.array(png(gradient(120, 90)), object)}


def test_each_step_of_a_right_chain_is_right(verify: Verify) -> None:
    found = verify(RIGHT)
    assert {step.name: step.verdict for step in found.steps} == dict.fromkeys(STEPS, "ok") | SHOWS_NOTHING
    assert found.verdict == "ok"


STEPS = [
    "step 1, decode_image: pixels",
    "step 2, resize_bilinear",
    "step 3, div",
    "step 4, sub",
    *(f"step 5, face_detect: {name}" for name in ("boxes_coarse", "boxes_fine", "scores_coarse", "scores_fine")),
    "step 6, concat",
    "step 7, reshape",
    "step 8, sigmoid: all_scores",
    "step 9, concat",
    "step 10, decode_boxes: all_boxes",
    *(f"step 11, non_max_suppression: {name}" for name in ("kept", "count")),
    "step 12, gather: scores",
    "step 13, gather: boxes",
    "step 14, crop_and_resize",
    "step 15, div: crops",
    "step 16, grayscale",
    "step 17, face_emotion: probabilities",
    "step 18, arg_max: classes",
    "step 19, letterbox",
    "step 20, cast",
    "step 21, slice: rest",
]


SHOWS_NOTHING = {"step 18, arg_max: classes": "unchecked"}
"""All crops are of one class."""


@pytest.mark.parametrize(("old", "new", "step"), WRONG.values(), ids=WRONG)
def test_a_wrong_step_is_named(old: str, new: str, step: str, verify: Verify) -> None:
    assert RIGHT.count(old) == 1
    found = verify(RIGHT.replace(old, new))
    assert (found.verdict, found.why) == ("wrong", f"{step} is wrong")


def test_last_bits_that_add_up_are_right_unless_a_check_says_how_far(verify: Verify) -> None:
    """A pixel of 157.9999 for 158 is another whole number."""
    found = verify(RIGHT).outputs["rest"]
    assert (found.verdict, found.why) == ("ok", "the last bits of its steps add up: each is right")
    assert (found.error or 0) > 1e-3
    asked = verify(RIGHT, rtol=1e-4)
    assert (asked.verdict, asked.outputs["rest"].verdict) == ("wrong", "wrong")


def test_the_command_names_what_is_wrong_and_counts_what_shows_nothing(verify: Verify) -> None:
    found = verify(RIGHT.replace("weights = [0.3, 0.6, 0.1]", "weights = [0.31, 0.6, 0.09]"))
    lines = [*verdict_lines(Verification(Path("dist/b"), "TensorFlow.js", Entries([found]), seconds=1), details=False)]
    texts = ["".join(text for text, _ in line) for line in lines]
    assert texts[1] == "           step 16, grayscale is wrong"
    assert texts[2].startswith("           wrong      step 16, grayscale: ")
    assert texts[3] == "           1 of 25 results of its steps are unchecked: -v has the reasons"


def test_an_output_must_be_what_its_step_gives(
    subject: Subject, chain: Callable[[str], Chain], runtime: Runtime
) -> None:
    endpoint = subject.bundle.endpoint("chain")
    answer = chain(RIGHT).answer(endpoint, PICTURE, None)
    assert answer.seams is not None
    plan = answer.seams.plan
    crossed = {**plan.outputs, "scores": plan.outputs["classes"]}
    seams = answer.seams._replace(plan=replace(plan, outputs=crossed))
    found = walked(seams, endpoint, PICTURE, Road("session", runtime).call, None).wrong
    assert found is not None and (found.name, found.why) == ("output scores", "is not what the step of its name gives")


@pytest.mark.parametrize("tensor", ["nowhere:0", "^chain/image", "chain/image:7", "chain/image:2147483647", ":0", ""])
def test_a_record_that_lies_about_a_tensor_makes_the_steps_wrong(
    tensor: str, subject: Subject, chain: Callable[[str], Chain], runtime: Runtime
) -> None:
    endpoint = subject.bundle.endpoint("chain")
    seams = chain(RIGHT).answer(endpoint, PICTURE, None).seams
    assert seams is not None
    lying = seams._replace(tensors={**seams.tensors, Ref(2): tensor})
    (wrong,) = walked(lying, endpoint, PICTURE, Road("session", runtime).call, None).steps
    assert (wrong.name, wrong.verdict) == ("steps", "wrong") and wrong.why


def test_steps_that_the_record_does_not_have_are_not_compared(subject: Subject, chain: Callable[[str], Chain]) -> None:
    with pytest.raises(Incomparable, match="other steps than its manifest"):
        chain(RIGHT.replace(SUB, "")).answer(subject.bundle.endpoint("chain"), PICTURE, None)


def test_pixels_on_an_edge_are_where_the_last_bits_of_their_places_say(
    tmp_path: Path, javascript: TensorFlowJs, runtime: Runtime
) -> None:
    """TensorFlow samples the end of a box at 9.000001 of 9, beyond the image; TensorFlow.js' plain backend at 9."""
    path = write(tmp_path, EDGES)
    bundler.build(path, output=tmp_path / "out")
    subject = of_bundle(tmp_path / "out")._replace(manifest=manifest.read(path))
    chain = Chain(
        Browser(javascript, Origins(subject.bundle, subject.report, tmp_path)), javascript, subject, lambda: None
    )
    values = {"image": gradient(10, 10)[None].astype(np.float32), "boxes": np.array([[0, 0, 1, 1]], np.float32)}
    comparison = Comparison((Road("session", runtime),), chain)
    (outcome,) = comparison.outcomes(subject.bundle.endpoint("edges"), "", Case(values))
    crops, moved = outcome.verdict.steps
    assert (crops.verdict, crops.why) == ("ok", "pixels on an edge: the last bits of their places decide")
    assert (moved.verdict, moved.error) == ("ok", 0)


EDGES = """
[[signature]]
key = "edges"
inputs = { image = "float32[1, ?, ?, 3]", boxes = "float32[?, 4]" }
outputs = ["crops", "moved"]
steps = [
  { op = "crop_and_resize", of = ["image", "boxes"], size = [36, 36], as = "crops" },
  { op = "transform", of = "image", matrix = [1, 0, 0.5, 0, 1, 1.5, 0, 0], as = "moved" },
]
"""
