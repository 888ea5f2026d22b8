"""The `Before:` and `After:` in the docstring of every rule, or of a pass without one, are true: each pair is run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pytest

from bundler import ops
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, Tensor, Value, constant, new_node, show
from bundler.rewrites import CLEANING, PASSES
from bundler.rewrites.engine import Pass, Rule

EVERY: Mapping[str, Pass] = {rewrite.__name__: rewrite for passes in (CLEANING, *PASSES.values()) for rewrite in passes}
RULES: Mapping[str, Rule] = {name: rewrite.rule for name, rewrite in EVERY.items() if hasattr(rewrite, "rule")}

OF_SIGNATURES = {"copy_fed_outputs"}
"""Passes that look at what callers ask for, of which the notation has no word."""

# What the letters of the notation stand for where a rule looks at more than edges.
CONSTANTS = {
    "w": np.ones((1, 1, 3, 4), np.float32),
    "b": np.ones(4, np.float32),
    "three": np.array(3, np.float32),
    "c": np.array(0.16662598, np.float32),
    "one": np.array(1, np.float32),
    "half": np.array(0.5, np.float32),
    "almost_k": np.array(0.70703125, np.float32),
    "slope": np.array(1.5, np.float32),
    "twos": np.full((2, 3), 2, np.float32),
    "cube": np.ones((1, 1, 3), np.float32),
    "epsilon": np.array(1e-5, np.float32),
    "gamma": np.ones(3, np.float32),
    "beta": np.ones(3, np.float32),
    "axis": np.array([2], np.int32),
    "scale": np.array(0.5, np.float32),
    "filter_of_one": np.ones((1, 1, 3, 1), np.float32),
    "of_batch": np.array([[1, 0], [0, 0], [0, 0], [0, 0]], np.int32),
    "image": np.ones((4, 4, 1), np.float32),
}
TYPES = {"T": DType.float32, "Tpaddings": DType.int32, "index_type": DType.int32}


class Case(NamedTuple):
    rule: str
    before: list[str]
    after: list[str]


def cases() -> Iterator[Case]:
    for name, rewrite in EVERY.items():
        lines = inspect.cleandoc(RULES.get(name, rewrite).__doc__ or "").splitlines()
        blocks = re.findall(r"Before:\n((?:    .*\n?)+)After:\n((?:    .*\n?)+)", "\n".join(lines))
        for before, after in blocks:
            yield Case(name, _lines(before), _lines(after))


def _lines(block: str) -> list[str]:
    return [line.strip() for line in block.splitlines() if line.strip()]


def _parse(line: str) -> Node:
    match = re.fullmatch(r"(\S+) = (\w+)\((.*)\)", line)
    assert match, line
    name, op, inside = match.groups()
    parts = re.findall(r"(?:[^,\[]|\[[^\]]*\])+", inside)
    given = [part.strip() for part in parts if part.strip()]
    attrs = {key: _value(text) for key, _, text in (part.partition("=") for part in given if "=" in part)}
    known = ops.table()[op].attrs if op in ops.table() else ()
    types = {key: dtype for key, dtype in TYPES.items() if key in known}
    return new_node(op, name, [part for part in given if "=" not in part], **{**types, **attrs})


def _value(text: str) -> Value:
    if text.startswith("["):
        return [_value(item.strip()) for item in text[1:-1].split(",") if item.strip()]
    if text in DType.__members__:
        return DType[text]
    if re.fullmatch(r"-?\d+\.\d+", text):
        return float(text)
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def _graph(lines: list[str]) -> Graph:
    nodes = [_parse(line) for line in lines]
    named = {given.name for given in nodes}
    wanted = sorted({Tensor.parse(reference).node for given in nodes for reference in given.input} - named)
    return Graph((*map(_source, wanted), *nodes))


def _source(name: str) -> Node:
    if name in CONSTANTS:
        return constant(name, CONSTANTS[name])
    return new_node("Placeholder", name, dtype=DType.float32)


def _shown(nodes: list[Node], like: list[str]) -> list[str]:
    """The nodes in the notation, with the attributes that the docstring names."""
    named = [re.findall(r"(\w+)=", line) for line in like] + [[]] * len(nodes)
    return [show(given, *attrs) for given, attrs in zip(nodes, named)]


def test_every_rule_shows_what_it_does() -> None:
    assert {case.rule for case in cases()} == set(EVERY) - OF_SIGNATURES


@pytest.mark.parametrize("case", [*cases()], ids=lambda case: case.rule)
def test_the_docstring_of_a_rule_is_true(case: Case) -> None:
    graph = _graph(case.before)
    sources = {given.name for given in graph.nodes} - {line.split(" = ")[0] for line in case.before}
    made = [new for new in EVERY[case.rule](Model(graph)).graph.nodes if new.name not in sources]
    assert _shown(made, case.after) == case.after
