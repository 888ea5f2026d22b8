from __future__ import annotations

import pytest

from bundler.ir.dtypes import DType
from bundler.ir.model import Signature, TensorSpec
from bundler.ir.nodes import Tensor
from bundler.serving.methods import method_faults

FLOAT, INT, STRING, UNKNOWN = DType.float32, DType.int32, DType.string, None
Side = dict[str, "DType | None"]


def messages(method: str, inputs: Side, outputs: Side) -> list[str]:
    sides = ({name: TensorSpec(Tensor(name), dtype) for name, dtype in side.items()} for side in (inputs, outputs))
    return [str(fault) for fault in method_faults(Signature(*sides, f"tensorflow/serving/{method}"))]


@pytest.mark.parametrize(
    ("method", "inputs", "outputs"),
    [
        ("predict", {}, {}),
        ("predict", {"a": INT, "b": FLOAT}, {"c": STRING}),
        ("classify", {"inputs": STRING}, {"classes": STRING, "scores": FLOAT}),
        ("classify", {"inputs": STRING}, {"classes": STRING}),
        ("classify", {"inputs": STRING}, {"scores": FLOAT}),
        ("classify", {"inputs": UNKNOWN}, {"scores": UNKNOWN}),
        ("regress", {"inputs": STRING}, {"outputs": FLOAT}),
        ("regress", {"inputs": UNKNOWN}, {"outputs": UNKNOWN}),
    ],
)
def test_serving_takes_such_signatures(method: str, inputs: Side, outputs: Side) -> None:
    assert messages(method, inputs, outputs) == []


NO_INPUT = "TensorFlow Serving takes no such input for this method (found {}, expected inputs: string)"
NO_CLASSES = (
    "TensorFlow Serving takes no such output for this method"
    " (found {}, expected classes: string and/or scores: float32)"
)
NO_REGRESSION = "TensorFlow Serving takes no such output for this method (found {}, expected outputs: float32)"


@pytest.mark.parametrize(
    ("method", "inputs", "outputs", "faults"),
    [
        ("classify", {}, {"scores": FLOAT}, [NO_INPUT.format("none")]),
        ("classify", {"inputs": FLOAT}, {"scores": FLOAT}, [NO_INPUT.format("inputs: float32")]),
        ("classify", {"image": STRING}, {"scores": FLOAT}, [NO_INPUT.format("image: string")]),
        ("classify", {"inputs": STRING, "flag": UNKNOWN}, {"scores": FLOAT}, [NO_INPUT.format("flag: ?")]),
        ("classify", {"inputs": STRING}, {}, [NO_CLASSES.format("none")]),
        ("classify", {"inputs": STRING}, {"scores": INT}, [NO_CLASSES.format("scores: int32")]),
        (
            "classify",
            {"inputs": STRING},
            {"classes": INT, "x": FLOAT},
            [NO_CLASSES.format("classes: int32, x: float32")],
        ),
        ("regress", {"inputs": STRING}, {"outputs": STRING}, [NO_REGRESSION.format("outputs: string")]),
        ("regress", {"inputs": STRING}, {"scores": FLOAT}, [NO_REGRESSION.format("scores: float32")]),
        ("regress", {"x": INT}, {}, [NO_INPUT.format("x: int32"), NO_REGRESSION.format("none")]),
    ],
)
def test_serving_takes_no_others(method: str, inputs: Side, outputs: Side, faults: list[str]) -> None:
    assert messages(method, inputs, outputs) == faults


def test_a_way_out_is_hinted_at() -> None:
    (fault,) = method_faults(Signature({}, {"scores": TensorSpec(Tensor("s"))}, "tensorflow/serving/classify"))
    assert fault.hint == 'rename it, or leave the method at "predict"'
