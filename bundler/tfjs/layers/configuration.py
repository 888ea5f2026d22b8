"""From the configuration of a Keras model, by any of its writers, to a description.

Python writes configurations, Keras 2 and Keras 3 each in its own form, and JavaScript does, in nearly that of Keras 2.
Everything in a description is made here, field by field, by the readers of `options`. An object of the file never
becomes a part of it: what is not in a table is refused or left out.

Sources: `keras/src/saving/serialization_lib.py` and `keras/src/models/functional.py` of Keras 3,
`tf_keras/src/engine/functional.py`, and `tfjs-layers/src/layers/serialization.ts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from bundler.errors import ConversionError, closest, within
from bundler.tfjs.fields import Json
from bundler.tfjs.layers import readers
from bundler.tfjs.layers.connections import connect
from bundler.tfjs.layers.description import MODELS, Layer, Network, Part, Stack, Value
from bundler.tfjs.layers.limits import MOST_LAYERS
from bundler.tfjs.layers.operators import IGNORED_OF_OPERATORS, OPERATORS, is_operator, operator_kind
from bundler.tfjs.layers.options import (
    ACTIVATIONS,
    AS_ACTIVATIONS,
    KINDS,
)
from bundler.tfjs.layers.origins import Origin, origin_of
from bundler.tfjs.layers.schema import REQUIRED, Activation, Field, Inside, Required
from bundler.tfjs.layers.unread import IGNORED, IGNORED_ENDINGS, NEUTRAL

__all__ = ["LAYERS", "translate"]

LAYERS = frozenset([*KINDS, *MODELS])
"""Kinds of layers that can be imported."""

_DEEPEST = 16
"""Layers in layers. The deepest that writers make is a model, a wrapper, an RNN, a stack, a cell, its activation."""

_COMMON = frozenset(["name", "dtype", "batch_input_shape"])
_OF_ENTRY = frozenset(
    [
        *("class_name", "config", "name", "inbound_nodes"),  # read
        *("module", "registered_name", "build_config", "compile_config", "shared_object_id"),  # of no bearing
    ]
)
_OF_MODEL = frozenset(
    [
        *("name", "layers", "input_layers", "output_layers", "build_input_shape"),  # read
        *("trainable", "dtype"),  # of no bearing
    ]
)
_RENAMED = {"batch_shape": "batch_input_shape"}
_RENAMED_IN = {("LeakyReLU", "negative_slope"): "alpha"}
"""Fields of Keras 3 that Keras 2 calls otherwise, in every layer and in one."""


class _Writer(NamedTuple):
    """The library that wrote the model. `depth` is that of the layer that is being read."""

    origin: Origin
    depth: int = 0

    def inside(self) -> _Writer:
        if self.depth == _DEEPEST:
            raise ConversionError("layers are nested too deep", expected=f"at most {_DEEPEST} levels")
        return self._replace(depth=self.depth + 1)


def translate(topology: Json) -> Stack | Network:
    """The model of a `modelTopology`.

    ConversionError for a layer that TensorFlow.js does not have, a field that its layer does not have, a value of the
    wrong type, or connections that make no graph.
    """
    entry = _read(topology, "model_config", readers.table, topology)
    model = _part({key: entry.get(key) for key in ("class_name", "config")}, _Writer(origin_of(topology)))
    if isinstance(model, Layer):
        raise ConversionError("this is a layer, not a model", found=model.kind, expected=" or ".join(MODELS))
    return model


def _part(entry: object, writer: _Writer, known: Iterable[str] = LAYERS) -> Part:
    """A layer or a model, whatever it is called with."""
    entry = readers.table(entry)
    kind, config = entry.get("class_name"), entry.get("config")
    with within(_where(kind, config)):
        if writer.origin.has_operators and known is LAYERS and _is_operator(entry):
            return _operator(str(kind), readers.table(config))
        if not isinstance(kind, str) or kind not in known:
            raise _no_such(kind, known)
        _check_known(entry, _OF_ENTRY, "a layer's entry")
        if kind in MODELS:
            return _model(kind, {"layers": config} if isinstance(config, list) else readers.table(config), writer)
        return _layer(kind, readers.table(config), writer)


def _where(kind: object, config: object) -> str:
    """How errors name a layer or a model: by its name, or else by its kind."""
    name = config.get("name") if isinstance(config, dict) else None
    shown_kind = kind if isinstance(kind, str) and kind in LAYERS else "layer"
    sort = "model" if shown_kind in MODELS else "layer"
    return f"{sort} {name[: readers.SHOWN]!a}" if isinstance(name, str) else f"a {shown_kind} without a name"


def _no_such(kind: object, known: Iterable[str]) -> ConversionError:
    expected = "one that docs/LAYERS.md lists" if known is LAYERS else f"one of {', '.join(sorted(known))}"
    found = repr(kind[: readers.SHOWN]) if isinstance(kind, str) else "no class_name"
    return ConversionError("Keras layers of this kind cannot be imported", found=found, expected=expected)


def _check_known(entry: Json, known: Iterable[str], what: str) -> None:
    for key in entry:
        if key not in known:
            shown = key[: readers.SHOWN]
            raise ConversionError(f"{what} has an unknown field", found=ascii(shown), hint=closest(shown, known))


# Layers ------------------------------------------------------------------------------------------


def _layer(kind: str, config: Json, writer: _Writer) -> Layer:
    given = {_RENAMED_IN.get((kind, key)) or _RENAMED.get(key, key): config[key] for key in config}
    plain = {key: given[key] for key in given if not _is_ignored(kind, key)}
    for key, neutral in NEUTRAL.get(kind, {}).items():
        _check_neutral(kind, key, plain.pop(key, neutral), neutral)
    _check_known(plain, [*KINDS[kind], *_COMMON], kind)
    return Layer(
        kind=kind,
        name=_read(plain, "name", readers.maybe(readers.name), None),
        dtype=_read(plain, "dtype", readers.dtype, "float32"),
        shape=_read(plain, "batch_input_shape", readers.maybe(readers.shape), None),
        options={key: _option(kind, key, plain, writer) for key in KINDS[kind]},
    )


def _is_operator(entry: Json) -> bool:
    config = entry.get("config")
    return isinstance(config, dict) and is_operator(entry.get("class_name"), config, entry.get("inbound_nodes"), KINDS)


def _operator(kind: str, config: Json) -> Layer:
    fields = OPERATORS[kind]
    _check_known(config, [*fields, *_COMMON, *IGNORED_OF_OPERATORS], kind)
    options = {key: _plain(config, key, field) for key, field in fields.items() if isinstance(field, Field)}
    name = _read(config, "name", readers.maybe(readers.name), None)
    return Layer(operator_kind(kind), name, dtype="float32", shape=None, options=options)


def _is_ignored(kind: str, key: str) -> bool:
    if key in KINDS[kind]:
        return False
    return key.endswith(IGNORED_ENDINGS) or key in IGNORED[""] or key in IGNORED.get(kind, ())


def _check_neutral(kind: str, key: str, value: object, neutral: Value) -> None:
    if value is not None and (tuple(value) if isinstance(value, list) else value) != neutral:
        raise ConversionError(
            f"{kind} with a setting that cannot be imported",
            found=f"{key}={readers.shown(value)}",
            expected=f"{key}={readers.shown(neutral)}",
        )


def _read(given: Json, key: str, read: Callable[[object], Any], default: Any) -> Any:
    """The value of a field, or its default where the writer left it out."""
    if given.get(key) is None and default is not REQUIRED:
        return default
    with within(repr(key)):
        return read(given.get(key))


def _option(kind: str, key: str, given: Json, writer: _Writer) -> Value:
    field = KINDS[kind][key]
    if isinstance(field, Field):
        return _plain(given, key, field)
    if isinstance(field, Activation):
        return _plain(given, key, Field(lambda value: _activation(value, writer), field.default))
    return _inside(given, key, field, writer.inside())


def _plain(given: Json, key: str, field: Field) -> Value:
    is_left_out = key not in given or (given[key] is None and not field.takes_null)  # JavaScript writes null for some
    if is_left_out and not isinstance(field.default, Required):
        return field.default
    with within(repr(key)):
        return field.read(given.get(key))


def _inside(given: Json, key: str, field: Inside, writer: _Writer) -> Value:
    def one(value: object) -> Part:
        return _part(value, writer, field.kinds or LAYERS)

    def read(value: object) -> Value:
        return tuple(one(item) for item in readers.items(value, MOST_LAYERS)) if field.many else one(value)

    return _plain(given, key, Field(readers.maybe(read), None) if field.optional else Field(read))


def _activation(value: object, writer: _Writer) -> Value:
    """The name of an activation: as it is, as a function's configuration, or a layer that stands for one."""
    if value is None:
        return "linear"
    if isinstance(value, dict) and isinstance(value.get("config"), dict):
        return _part(value, writer.inside(), AS_ACTIVATIONS)
    spelled = value.get("config") if isinstance(value, dict) else value
    name = readers.one_of(*ACTIVATIONS)(spelled)
    assert name is not None
    return name


# Models ------------------------------------------------------------------------------------------


def _model(kind: str, config: Json, writer: _Writer) -> Stack | Network:
    _check_known(config, _OF_MODEL, kind)
    entries = _read(config, "layers", lambda value: readers.items(value, MOST_LAYERS), REQUIRED)
    layers = tuple(_part(entry, writer.inside()) for entry in entries)
    name = _read(config, "name", readers.maybe(readers.name), None)
    if kind == "Sequential":
        return Stack(name, _unique(_begun(layers, config)))
    named = _unique(tuple(_named(part, entry) for part, entry in zip(layers, entries)))
    return Network(name, named, *connect(named, entries, config, writer.origin.counts_own))


def _named(part: Part, entry: Json) -> Part:
    """A layer under the name by which calls refer to it: its place in a model has one, too."""
    with within(_where(entry.get("class_name"), entry.get("config"))):
        return replace(part, name=_read(entry, "name", readers.name, part.name or REQUIRED))


def _unique(layers: tuple[Part, ...]) -> tuple[Part, ...]:
    seen: set[str] = set()
    for part in layers:
        if part.name in seen:
            raise ConversionError("two layers of a model have the same name", found=repr(part.name))
        seen |= {part.name} if part.name else set()
    return layers


def _begun(layers: tuple[Part, ...], config: Json) -> tuple[Part, ...]:
    """The layers of a Sequential; the first gets the shape that only the model has."""
    shape = _read(config, "build_input_shape", readers.shape, None)
    first = layers[0] if layers else None
    if shape is None or not isinstance(first, Layer) or first.kind == "InputLayer" or first.shape is not None:
        return layers
    return (replace(first, shape=shape), *layers[1:])
