"""Layers models: configurations as Keras and TensorFlow.js write them, with fields of any kind.

Most fields have a value that the layers suite tries, so that many models are sound; some have the value of another
field or a strange one. A model that bundler can describe comes with the weights that it asks for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from bundler.errors import BundlerError
from bundler.tfjs.layers.configuration import translate
from bundler.tfjs.layers.graph.walk import build
from bundler.tfjs.layers.limits import check
from bundler.tfjs.layers.matching import Variable
from bundler.tfjs.layers.options import KINDS
from bundler.tfjs.layers.origins import origin_of
from bundler.tfjs.layers.schema import REQUIRED, Field, Inside
from tests.fuzz.mutate import STRANGE
from tests.layers import model as words
from tests.layers.table import cases

__all__ = ["configurations"]

_VERSIONS = ("2.15.0", "3.5.0", "tfjs-layers 4.22.0")
_MOST = 1 << 14
"""Elements of all weights of a model."""
_FOREIGN = ("Lambda", "TFOpLambda", "NoSuchLayer")
_OTHER_FIELDS = (
    *("kernel_initializer", "kernel_regularizer", "kernel_constraint", "batch_input_shape", "batch_shape", "dtype"),
    *("name", "trainable", "mode", "function", "config", "class_name", "layers", "registered_name", "module"),
    "__passive_serialization__",
)
_ANY = st.integers(0, len(STRANGE) - 1).map(STRANGE.__getitem__)
_SERIALIZED = st.builds(
    lambda kind, config: {"class_name": kind, "config": config},
    st.sampled_from(
        ["GlorotUniform", "Zeros", "L2", "MaxNorm", "Policy", "DTypePolicy", "Lambda", "Sequential", "slice"]
    ),
    st.dictionaries(st.sampled_from(["name", "l2", "seed", "layers", "function"]), _ANY, max_size=2),
)
_NAMES = st.sampled_from(["a", "b", "c", "a", "", "a/b", "x" * 300, 3])


def _one_in(count: int) -> st.SearchStrategy[bool]:
    """True once in so many draws. Hypothesis prefers the ends of a range, so that this is in its middle."""
    return st.integers(0, 997).map(lambda drawn: drawn % count == count // 2)


# What the suite tries ----------------------------------------------------------------------------


@cache
def _tried() -> Mapping[tuple[str, str], Sequence[Any]]:
    """The values of the options of layers in the suite, by kind and option."""
    found: dict[tuple[str, str], list[Any]] = {}
    for family in cases().values():
        for each in family:
            for layer in words.layers(each.model):
                for option, value in layer.options.items():
                    found.setdefault((layer.kind, option), []).append(_entry(value))
    return found


def _entry(value: Any) -> Any:
    """An option as a file has it."""
    if isinstance(value, words.Layer):
        return {"class_name": value.kind, "config": {key: _entry(given) for key, given in value.options.items()}}
    if isinstance(value, words.Stack):
        return {"class_name": "Sequential", "config": {"name": "s", "layers": [_entry(each) for each in value.layers]}}
    if isinstance(value, words.Network):
        return None
    return [_entry(item) for item in value] if isinstance(value, (list, tuple)) else value


@cache
def _shapes() -> Mapping[str, Sequence[Sequence[int | None]]]:
    """The shapes of inputs in the suite, with the batch, by the layer that is tried on them."""
    found: dict[str, list[Sequence[int | None]]] = {}
    for family in cases().values():
        for each in family:
            if isinstance(each.model, words.Network):
                found.setdefault(each.kind, []).extend((None, *given.shape) for given in each.model.inputs.values())
    return found


def _shape(layer: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """The shape of an input, mostly one that fits the layer."""
    fitting = _shapes().get(layer["class_name"]) or [(None, 4)]
    return st.sampled_from(fitting) | st.sampled_from(fitting) | st.sampled_from([*_shapes()["Dense"], (None, 8, 7, 4)])


# Layers ------------------------------------------------------------------------------------------


@st.composite
def _layers(draw: st.DrawFn, inner: bool = True) -> dict[str, Any]:
    """The entry of a layer: what it needs, some of its options, and seldom something strange."""
    kind = draw(st.sampled_from([*sorted(KINDS), *sorted(KINDS), *_FOREIGN]))
    config = {"name": draw(_NAMES)} if draw(_one_in(20)) else {}
    for option in KINDS.get(kind, ()):
        if draw(st.integers(0, 9)) < (9 if _is_needed(kind, option) else 3):
            config[option] = draw(_values(kind, option))
    if draw(_one_in(30)):
        config[draw(st.sampled_from(_OTHER_FIELDS))] = draw(_ANY | _SERIALIZED)
    if inner and draw(_one_in(30)):
        config["layer"] = draw(_layers(inner=False))
    return {"class_name": kind, "config": config}


def _is_needed(kind: str, option: str) -> bool:
    field = KINDS[kind][option]
    return field.default is REQUIRED if isinstance(field, Field) else isinstance(field, Inside)


@cache
def _values(kind: str, option: str) -> st.SearchStrategy[Any]:
    usual = st.sampled_from(_tried().get((kind, option)) or [2, [2, 2], True, "relu", None, 0.5])
    other = st.sampled_from(
        [value for (_, name), values in _tried().items() if name == option for value in values] or [1]
    )
    strange = _one_in(2).flatmap(lambda is_other: other if is_other else _ANY | _SERIALIZED)
    return _one_in(15).flatmap(lambda is_strange: strange if is_strange else usual)


# Models ------------------------------------------------------------------------------------------


@st.composite
def _stacks(draw: st.DrawFn) -> dict[str, Any]:
    layers = draw(st.lists(_layers(), min_size=1, max_size=3))
    begin = {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": draw(_shape(layers[0]))}}
    begins = not draw(_one_in(10))
    return {"class_name": "Sequential", "config": {"name": "m", "layers": [begin, *layers] if begins else layers}}


@st.composite
def _networks(draw: st.DrawFn) -> dict[str, Any]:
    """Layers that are called one after the other, or on two tensors; some calls are damaged."""
    layers = draw(st.lists(_layers(), min_size=1, max_size=3))
    shape = draw(_shape(layers[0]))
    entries = [
        _named({"class_name": "InputLayer", "config": {"batch_input_shape": shape}}, f"x{at}", []) for at in "01"
    ]
    for number, layer in enumerate(layers):
        known = [entry["name"] for entry in entries]
        before = draw(st.sampled_from([known[-1:], known[-1:], [known[-1], known[0]], ["x0", "x1"]]))
        calls = [[[name, 0, 0, draw(_arguments(known))] for name in before]]
        damaged = draw(_one_in(15))
        entries.append(_named(layer, f"l{number}", draw(_INBOUND) if damaged else calls))
    ends = {"input_layers": [["x0", 0, 0], ["x1", 0, 0]], "output_layers": [[entries[-1]["name"], 0, 0]]}
    return {"class_name": draw(st.sampled_from(["Functional", "Model"])), "config": {"layers": entries, **ends}}


def _named(layer: Mapping[str, Any], name: str, calls: Any) -> dict[str, Any]:
    config = {key: value for key, value in layer["config"].items() if key != "name"}
    return {**layer, "config": config, "name": name, "inbound_nodes": calls}


def _arguments(known: Sequence[str]) -> st.SearchStrategy[dict[str, Any]]:
    tensor = st.sampled_from([[name, 0, 0] for name in known])
    given = st.dictionaries(st.sampled_from(["mask", "initial_state", "training", "value"]), tensor | _ANY, max_size=1)
    return _one_in(10).flatmap(lambda is_given: given if is_given else st.just({}))


_POINTS = st.tuples(_NAMES, st.integers(0, 1), st.integers(0, 1), st.dictionaries(_NAMES.map(str), _ANY, max_size=1))
_INBOUND = st.lists(st.lists(_POINTS.map(list) | _ANY, max_size=2), max_size=2) | _ANY
_NONSENSE = st.fixed_dictionaries(
    {"class_name": st.sampled_from(["Sequential", "Functional", "Model", "Nonsense"])},
    optional={"config": st.lists(_layers(), max_size=3) | _ANY, "keras_version": _ANY},
)
_MODELS = _one_in(15).flatmap(lambda is_nonsense: _NONSENSE if is_nonsense else _stacks() | _networks())


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of a layers model, as Python or JavaScript writes it."""
    model = draw(_MODELS)
    version = draw(st.sampled_from(_VERSIONS))
    in_python = not version.startswith("tfjs")
    topology = {"model_config": model, "keras_version": version} if in_python else {**model, "keras_version": version}
    weights = list(_weights(topology))
    manifest = [{"paths": ["w.bin"], "weights": weights}] if weights else []
    content = {"w.bin": bytes(4 * sum(_size(weight["shape"]) for weight in weights))} if weights else {}
    return {"model.json": json.dumps({"modelTopology": topology, "weightsManifest": manifest}).encode(), **content}


def _weights(topology: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """An entry for each variable of a model; none if bundler refuses the model without weights, too."""
    for variable in _variables(topology):
        name = variable.name.partition(":")[0]
        yield {"name": name, "shape": list(variable.shape), "dtype": "float32"}


def _variables(topology: Mapping[str, Any]) -> Sequence[Variable]:
    try:
        model = translate(topology)
        check(model, _MOST)
        return build(model, origin_of(topology), _MOST).variables
    except BundlerError:
        return []


def _size(shape: Sequence[int]) -> int:
    size = 1
    for each in shape:
        size *= each
    return size
