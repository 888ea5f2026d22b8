"""`inspect --graph`: a node by its name, and what surrounds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import bundler
from bundler.cli import main
from bundler.errors import BundlerError
from tests.support.places import MANIFESTS

EDGES = str(MANIFESTS / "models" / "edges")
TINY = str(MANIFESTS / "tiny.toml")
SCOPE = "StatefulPartitionedCall/edges"
SHOWN = """\
StatefulPartitionedCall/edges/p_re_lu/Relu (edges)
  names below StatefulPartitionedCall/edges/ are short
  reads:
    depthwise = FusedDepthwiseConv2dNative(image, filters/kernel, filters/bias, \
fused_ops=[BiasAdd], padding=SAME, strides=[1, 1, 1, 1])
    p_re_lu/Neg = Const(dtype=float32, shape=[1, 1, 3], value=[[[-1.0, -1.0, 0.25]]])
  Before:
    p_re_lu/Relu = Prelu(depthwise, p_re_lu/Neg)
  After:
    p_re_lu/Relu/pos = Relu(depthwise)
    p_re_lu/Relu/neg_x = Neg(depthwise)
    p_re_lu/Relu/neg_alpha = Neg(p_re_lu/Neg)
    p_re_lu/Relu/relu_neg_x = Relu(p_re_lu/Relu/neg_x)
    p_re_lu/Relu/neg = Mul(p_re_lu/Relu/neg_alpha, p_re_lu/Relu/relu_neg_x)
    p_re_lu/Relu = AddV2(p_re_lu/Relu/pos, p_re_lu/Relu/neg)
  read by:
    strength/Relu = _FusedConv2D(p_re_lu/Relu, strength/kernel, strength/bias, \
epsilon=0, fused_ops=[BiasAdd, Relu], padding=SAME, strides=[1, 1, 1, 1])
    Identity = Identity(p_re_lu/Relu)
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("neighbours") / "tiny"
    bundler.build(TINY, output=folder, check=False)
    return str(folder)


def test_a_node_is_shown_with_its_neighbours_and_its_rewrite() -> None:
    assert CliRunner().invoke(main, ["inspect", EDGES, "--graph", "p_re_lu/Relu"]).stdout == SHOWN


@pytest.mark.parametrize(
    ("source", "asked", "found"),
    [
        (EDGES, "Identity_1", "Identity_1"),
        (EDGES, "Identity_1:0", "Identity_1"),
        (EDGES, "strength/kernel", f"{SCOPE}/strength/kernel"),
        (EDGES, "p_re_lu/Relu/neg_x", f"{SCOPE}/p_re_lu/Relu/neg_x"),
        (TINY, "edges/Identity", "Identity"),
        (TINY, "p_re_lu/Neg", f"{SCOPE}/p_re_lu/Neg"),
        ("bundle", "edges/Identity", "edges/Identity"),
        ("bundle", "pixels", "digits/image"),
        ("bundle", "probabilities", "digits/Identity"),
        ("bundle", "strength/Relu", f"edges/{SCOPE}/strength/Relu"),
    ],
    ids=[
        "a node",
        "a tensor",
        "the end of a name",
        "a node that only the bundle has",
        "a node of a model of a manifest",
        "the end of a name in a manifest",
        "a node of a bundle",
        "an input of a signature",
        "an output of a signature",
        "the end of a name in a bundle",
    ],
)
def test_a_name_is_that_of_a_node_or_a_tensor_or_a_signature(source: str, asked: str, found: str, bundle: str) -> None:
    assert bundler.neighbourhood(bundle if source == "bundle" else source, asked).node.name == found


@pytest.mark.parametrize(
    ("source", "asked", "text", "hint"),
    [
        (EDGES, "Identit_1", f"{EDGES}: there is no node 'Identit_1'", "did you mean 'Identity_1'?"),
        (EDGES, "KERNEL", f"{EDGES}: there is no node 'KERNEL'", "names that contain it: "),
        (EDGES, "zzz", f"{EDGES}: there is no node 'zzz'", "inputs and outputs are image, Identity, Identity_1"),
        (TINY, "Identity", "several nodes are meant by 'Identity' (found digits/Identity, edges/Identity)", ""),
        (TINY, "edges/Identit_1", "models/edges/model.json: there is no node ", "did you mean 'edges/Identity_1'?"),
    ],
    ids=["a typing error", "a part of names", "nothing alike", "several models", "a model of a manifest"],
)
def test_a_name_that_is_not_there_has_a_hint(source: str, asked: str, text: str, hint: str) -> None:
    with pytest.raises(BundlerError) as error:
        bundler.neighbourhood(source, asked)
    (fault,) = error.value.faults
    assert str(fault).startswith(text)
    assert fault.hint.startswith(hint)


def test_a_neighbourhood_is_one_json_document() -> None:
    done = CliRunner().invoke(main, ["inspect", EDGES, "--graph", "Identity", "--json"])
    assert json.loads(done.stdout) == {
        "model": "edges",
        "source": EDGES,
        "function": "",
        "node": {
            "name": "Identity",
            "op": "Identity",
            "inputs": [f"{SCOPE}/p_re_lu/Relu"],
            "attrs": {"T": "float32"},
            "line": f"Identity = Identity({SCOPE}/p_re_lu/Relu)",
        },
        "reads": [
            {
                "name": f"{SCOPE}/p_re_lu/Relu",
                "op": "Prelu",
                "inputs": [f"{SCOPE}/depthwise", f"{SCOPE}/p_re_lu/Neg"],
                "attrs": {"T": "float32"},
                "line": f"{SCOPE}/p_re_lu/Relu = Prelu({SCOPE}/depthwise, {SCOPE}/p_re_lu/Neg)",
            }
        ],
        "read_by": [],
        "becomes": [],
        "entries": ["edges: Identity"],
    }


def test_a_source_that_is_no_model_is_its_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["inspect", str(tmp_path / "gone"), "--graph", "x"])
    assert (done.exit_code, done.stderr) == (4, f"error: {tmp_path}/gone: there is no such file or folder\n")
