"""One step of a composed signature in a graph of its own, to be compared with the same step in the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bundler.compose.plan import Act
from bundler.compose.write import computed
from bundler.drafting.library import Library
from bundler.drafting.value import Value
from bundler.encoding.graphdef import structure
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, TensorSpec
from bundler.ir.nodes import new_node, shape_proto
from bundler.manifest import Compat
from bundler.runtimes.tensorflow import Runtime
from bundler.steps import Scope

__all__ = ["alone"]


def alone(
    act: Act, specs: Sequence[TensorSpec], values: Sequence[np.ndarray], compat: Compat, runtime: Runtime
) -> list[np.ndarray]:
    """What an op or a map gives for values. `specs` are the dtypes and shapes with which the whole knows them.

    Of an op with `like`, the value of that name comes last. Raises Failure if TensorFlow refuses the values.
    """
    library = Library()
    fed = [_placeholder(library, f"value_{at}", spec) for at, spec in enumerate(specs)]
    results = [value.reference for value in computed(Scope(library, library.main, "step", compat), act, fed)]
    graph = structure(Model(Graph(tuple(library.main.nodes), {}), {}, library.functions))
    known = {value.reference: array for value, array in zip(fed, values)}
    return _fetched(graph, known, results, runtime)


def _placeholder(library: Library, name: str, spec: TensorSpec) -> Value:
    assert spec.shape is not None  # steps refuse values of unknown rank
    dtype = spec.dtype or DType.float32
    library.main.nodes.append(
        new_node("Placeholder", library.main.fresh(name), dtype=dtype, shape=shape_proto(spec.shape))
    )
    return Value(name, spec.shape, dtype, library.main)


def _fetched(
    graph: bytes, known: Mapping[str, np.ndarray], results: Sequence[str], runtime: Runtime
) -> list[np.ndarray]:
    """The results, some of which may be what is fed: a session refuses to fetch that."""
    fetches = [result for result in dict.fromkeys(results) if result not in known]
    found = {**known, **dict(zip(fetches, runtime.evaluate(graph, known, fetches) if fetches else ()))}
    return [found[result] for result in results]
