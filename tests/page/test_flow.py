"""The picture of a composed signature: which step takes what, as the graph has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import bundler
from bundler.page.flow import Arc, Flow, flow
from bundler.report import Entries, SignatureReport, StepReport, TensorReport
from bundler.stored.metagraphs import read_graphs
from tests.support.places import MANIFESTS

MANIFEST = f"""
[bundle]
name = "edges"

[[model]]
name = "edges"
source = "{MANIFESTS / "models" / "edges" / "model.json"}"

[[model.signature]]
key = "edge_strength"
outputs = ["Identity_1"]

[[signature]]
key = "serving_default"
inputs = {{ image = "string" }}
outputs = ["strength", "pixels"]
steps = [
  {{ op = "decode_image", channels = 1, as = "pixels" }},
  {{ op = "resize_bilinear", size = [8, 8] }},
  {{ call = "edge_strength" }},
  {{ op = "resize_bilinear", like = "pixels", as = "strength" }},
]
"""


def test_arcs_lead_from_steps_to_those_that_take_what_they_give(tmp_path: Path) -> None:
    (tmp_path / "edges.toml").write_text(MANIFEST)
    folder = tmp_path / "edges"
    report = bundler.build(tmp_path / "edges.toml", output=folder, check=False)
    found = flow(report.signatures["serving_default"], read_graphs(folder)[0].model.graph)
    names = [stop.name for stop in found.stops]
    assert names == [
        "image",
        "decode_image",
        "resize_bilinear",
        "edge_strength",
        "resize_bilinear",
        "pixels",
        "strength",
    ]
    assert [(names[arc.start], names[arc.end], arc.lane) for arc in found.arcs] == [
        ("image", "decode_image", 0),
        ("decode_image", "resize_bilinear", 0),
        ("decode_image", "resize_bilinear", 1),
        ("decode_image", "pixels", 1),
        ("resize_bilinear", "edge_strength", 0),
        ("edge_strength", "resize_bilinear", 0),
        ("resize_bilinear", "strength", 2),
    ]
    assert [stop.name for stop in found.taken(4)] == ["decode_image", "edge_strength"]
    assert (found.spine, found.x(Arc(1, 4, 1))) == (39, 26)


@pytest.mark.parametrize(
    "steps",
    [
        (StepReport("add", ()),),
        (StepReport("add", (TensorReport("", "", "float32", ()),)),) * 3,
        (StepReport("add", (TensorReport("", "a/99999999999999999999.b/c:0", "float32", ()),)),),
        (StepReport("add", (TensorReport("", "0.b:0", "float32", ()),)),),
    ],
)
def test_steps_of_a_record_that_lies_have_no_arcs(steps: tuple[StepReport, ...], built: Callable[..., Path]) -> None:
    graph = read_graphs(built("tiny"))[0].model.graph
    signature = SignatureReport("k", (), Entries(), Entries(), "", steps)
    assert flow(signature, graph).arcs == ()


def test_a_flow_without_arcs_has_a_spine() -> None:
    assert (Flow((), ()).spine, Flow((), ()).tops) == (13, (13,))
