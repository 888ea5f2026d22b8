"""What callers notice of a change to a signature."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.differences.signatures import includes, signature_changes
from bundler.ir.dtypes import DType
from bundler.ir.model import PREDICT, Signature, TensorSpec
from bundler.ir.nodes import Shape, Tensor

BASE = Signature(
    {"image": TensorSpec(Tensor("x"), DType.float32, (None, 8, 3))},
    {
        "boxes": TensorSpec(Tensor("y"), DType.float32, (None, 4)),
        "scores": TensorSpec(Tensor("z"), DType.float32, None),
    },
)


def spec(dtype: DType = DType.float32, shape: Shape | None = (None, 8, 3), node: str = "x") -> TensorSpec:
    return TensorSpec(Tensor(node), dtype, shape)


def inputs(**entries: TensorSpec) -> Signature:
    return replace(BASE, inputs=entries)


def outputs(**entries: TensorSpec) -> Signature:
    return replace(BASE, outputs={**BASE.outputs, **entries})


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        (BASE, []),
        (inputs(image=spec(node="elsewhere")), []),
        (inputs(image=spec(shape=(None, None, 3))), [("input image: float32[?, 8, 3] → float32[?, ?, 3]", False)]),
        (inputs(image=spec(shape=None)), [("input image: float32[?, 8, 3] → float32 ?", False)]),
        (inputs(image=spec(shape=(1, 8, 3))), [("input image: float32[?, 8, 3] → float32[1, 8, 3]", True)]),
        (inputs(image=spec(shape=(None, 9, 3))), [("input image: float32[?, 8, 3] → float32[?, 9, 3]", True)]),
        (inputs(image=spec(shape=(None, 8))), [("input image: float32[?, 8, 3] → float32[?, 8]", True)]),
        (inputs(image=spec(DType.uint8)), [("input image: float32[?, 8, 3] → uint8[?, 8, 3]", True)]),
        (inputs(), [("input image removed: float32[?, 8, 3]", True)]),
        (inputs(image=spec(), size=spec(DType.int32, (2,))), [("input size added: int32[2]", True)]),
        (inputs(picture=spec()), [("input image renamed to picture: float32[?, 8, 3]", True)]),
        *(
            (
                inputs(picture=other),
                [("input image removed: float32[?, 8, 3]", True), (f"input picture added: {kind}", True)],
            )
            for other, kind in (
                (spec(node="elsewhere"), "float32[?, 8, 3]"),
                (spec(DType.uint8), "uint8[?, 8, 3]"),
                (spec(shape=(1, 8, 3)), "float32[1, 8, 3]"),
            )
        ),
        (
            outputs(areas=BASE.outputs["boxes"], points=BASE.outputs["boxes"]),
            [("output areas added: float32[?, 4]", False), ("output points added: float32[?, 4]", False)],
        ),
        (
            replace(BASE, outputs={"areas": BASE.outputs["boxes"], "points": BASE.outputs["boxes"]}),
            [
                ("output boxes renamed to areas: float32[?, 4]", True),
                ("output points added: float32[?, 4]", False),
                ("output scores removed: float32 ?", True),
            ],
        ),
        (outputs(boxes=spec(shape=(1, 4))), [("output boxes: float32[?, 4] → float32[1, 4]", False)]),
        (outputs(scores=spec(shape=(5,))), [("output scores: float32 ? → float32[5]", False)]),
        (outputs(boxes=spec(shape=(None, None))), [("output boxes: float32[?, 4] → float32[?, ?]", True)]),
        (outputs(boxes=spec(shape=None)), [("output boxes: float32[?, 4] → float32 ?", True)]),
        (outputs(boxes=spec(shape=(None, 5))), [("output boxes: float32[?, 4] → float32[?, 5]", True)]),
        (outputs(boxes=spec(DType.float16, (None, 4))), [("output boxes: float32[?, 4] → float16[?, 4]", True)]),
        (outputs(more=spec(shape=())), [("output more added: float32[]", False)]),
        (replace(BASE, outputs={"boxes": BASE.outputs["boxes"]}), [("output scores removed: float32 ?", True)]),
        (
            replace(BASE, method_name="tensorflow/serving/classify"),
            [(f"method: {PREDICT} → tensorflow/serving/classify", True)],
        ),
    ],
    ids=lambda value: "" if isinstance(value, Signature) else str(value[:1]),
)
def test_a_change_of_a_signature_and_whether_callers_notice(after: Signature, changes: list[tuple[str, bool]]) -> None:
    from bundler.cli.texts.differences import tensor_text

    found = list(signature_changes({("", "find"): BASE}, {("", "find"): after}))
    assert [(tensor_text(change), change.breaks) for each in found for change in each.changes] == changes
    assert [each.kind for each in found] == ["changed"] * bool(changes)
    assert any(each.breaks for each in found) == any(breaks for _, breaks in changes)


def test_a_signature_that_is_gone_breaks_callers_and_a_new_one_does_not() -> None:
    found = signature_changes({("", "old"): BASE}, {("", "new"): BASE})
    assert [(each.key, each.kind, each.breaks) for each in found] == [("new", "added", False), ("old", "removed", True)]


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        (None, (1, 2), True),
        (None, None, True),
        ((1, 2), None, False),
        ((None, 2), (1, 2), True),
        ((None, 2), (None, 2), True),
        ((1, 2), (None, 2), False),
        ((None,), (1, 2), False),
        ((), (), True),
    ],
)
def test_a_shape_includes_those_that_are_more_specific(
    wide: Shape | None, narrow: Shape | None, expected: bool
) -> None:
    assert includes(wide, narrow) == expected
