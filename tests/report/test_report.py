from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from bundler.ir.nodes import Shape
from bundler.report import Check, Entries, ModelReport, Report, Rewritten, SignatureReport, TensorReport

IMAGE = TensorReport("image", "cat/image:0", "float32", (1, None, 3))
EARS = TensorReport("ears", "cat/ears:0", "int32", None)
CAT = ModelReport(
    *("cat", "cat", "sha256:00", 3, 12, {}, ("dropped ‘x’",)),
    format="graph",
    signature_from="signature",
    stored={"float32": 2},
    rewritten=(Rewritten("Prelu", 1, ("Relu",)),),
)
EXPECTED = """\
{
  "output": "dist/pets",
  "name": "pets",
  "signatures": [
    {
      "key": "find",
      "models": [
        "cat"
      ],
      "inputs": [
        {
          "name": "image",
          "tensor": "cat/image:0",
          "dtype": "float32",
          "shape": [
            1,
            null,
            3
          ]
        }
      ],
      "outputs": [
        {
          "name": "ears",
          "tensor": "cat/ears:0",
          "dtype": "int32",
          "shape": null
        }
      ],
      "method_name": "tensorflow/serving/predict",
      "steps": []
    }
  ],
  "models": [
    {
      "name": "cat",
      "source": "cat",
      "digest": "sha256:00",
      "nodes": 3,
      "weight_bytes": 12,
      "ops": {
        "Const": 2,
        "Relu": 1
      },
      "notes": [
        "dropped \\u2018x\\u2019"
      ],
      "format": "graph",
      "written_by": "",
      "signature_from": "signature",
      "stored": {
        "float32": 2
      },
      "rewritten": [
        {
          "op": "Prelu",
          "count": 1,
          "into": [
            "Relu"
          ]
        }
      ]
    }
  ],
  "checks": [
    {
      "name": "load",
      "detail": ""
    }
  ],
  "bytes": 34,
  "seconds": 0.5,
  "up_to_date": false
}"""


def report(ops: Mapping[str, int]) -> Report:
    return Report(
        Path("dist", "pets"),
        "pets",
        Entries([SignatureReport("find", ("cat",), Entries([IMAGE]), Entries([EARS]), "tensorflow/serving/predict")]),
        Entries([replace(CAT, ops=ops)]),
        Entries([Check("load")]),
        34,
        0.5,
    )


@pytest.mark.parametrize("ops", [{"Relu": 1, "Const": 2}, MappingProxyType({"Const": 2, "Relu": 1})])
def test_a_report_is_one_json_document_whatever_the_order_of_its_ops(ops: Mapping[str, int]) -> None:
    assert report(ops).to_json() == EXPECTED


def test_a_name_that_is_no_text_is_still_json() -> None:
    odd = Report(None, "\udcff", Entries(), Entries())
    assert json.loads(odd.to_json())["name"] == "\udcff"
    assert odd.to_json().isascii()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1, None, None, 3), "float32[1, ?, ?, 3]"),
        ((None,), "float32[?]"),
        ((), "float32[]"),
        (None, "float32 ?"),
    ],
)
def test_a_type_distinguishes_an_unknown_size_from_an_unknown_rank(shape: Shape | None, expected: str) -> None:
    assert TensorReport("x", "x:0", "float32", shape).type == expected
