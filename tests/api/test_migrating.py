"""docs/MIGRATING.md names all that the predecessor offered, and a test that exists for each."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import bundler.api as tfjs
from bundler.cli import main
from tests.api.known import write
from tests.support.places import ROOT

PAGE = (ROOT / "docs" / "MIGRATING.md").read_text()
TABLES = PAGE[PAGE.index("## The command line") :]
ROWS = [
    line
    for line in TABLES.splitlines()
    if line.startswith("|") and not line.startswith(("| flag", "| name", "| documented", "|---"))
]

FLAGS = """
    input_path output_path -h --help --output_format --saved_model_tags -c --compat_mode --outputs --signature_key
    --method_name --rename -s --silent -v --version
"""
NAMES = """
    GraphDef Tensor RenameMap CompatMode enable_cuda load_graph_model load_graph_model_and_signature
    graph_def_to_graph_v1 graph_to_function_v2 graph_model_to_frozen_graph graph_model_to_saved_model
    graph_models_to_saved_model RenameMap.apply SIGNATURE_OUTPUTS SIGNATURE_METHOD ModelFormatError
    util.NodeInfo util.get_input_nodes util.get_output_nodes util.get_input_tensors util.get_output_tensors
    util.infer_signature util.rename_input_nodes util.rename_output_nodes
"""
"""What its README, its API page and its page on utilities name."""


def test_the_page_names_all_that_the_predecessor_offers() -> None:
    first_cells = " ".join(row.split("|")[1] for row in ROWS)
    assert [name for name in (FLAGS + NAMES).split() if f"`{name}`" not in first_cells] == []
    public = [name.removeprefix("util.").partition(".")[0] for name in NAMES.split()]
    assert [name for name in public if name not in tfjs.__all__] == []
    assert tfjs.Tensor is np.ndarray


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_row_has_a_test(row: str) -> None:
    *_, shown_by, _ = row.split("|")
    file, test = re.fullmatch(r" `([\w/]+\.py)::(test_\w+)` ", shown_by).groups()  # type: ignore[union-attr]
    assert test in _tests_in(file)


@cache
def _tests_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text())
    return {statement.name for statement in tree.body if isinstance(statement, ast.FunctionDef)}


def test_the_command_line_can_be_called_from_python(tmp_path: Path) -> None:
    arguments = ["--output_format=tf_saved_model", write("simple", tmp_path / "model"), str(tmp_path / "out")]
    main(["convert", *arguments], standalone_mode=False)
    assert (tmp_path / "out" / "saved_model.pb").is_file()
