"""From a description to a graph: the models and their calls, one layer after the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from bundler.drafting.tensors import FLOATS
from bundler.drafting.value import Value
from bundler.errors import ConversionError, within
from bundler.ir.dtypes import DType
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function, Signature, TensorSpec
from bundler.ir.nodes import Node, Shape, Tensor
from bundler.tfjs.layers import description
from bundler.tfjs.layers.description import Call, Layer, Network, Part, Stack
from bundler.tfjs.layers.graph.arguments import accepts, prepared, takes, wrong_number
from bundler.tfjs.layers.graph.library import Library
from bundler.tfjs.layers.graph.order import needed_calls
from bundler.tfjs.layers.graph.scope import Scope
from bundler.tfjs.layers.kinds import LAYERS
from bundler.tfjs.layers.matching import Variable
from bundler.tfjs.layers.origins import Origin

__all__ = ["Built", "build"]


class Built(NamedTuple):
    """The graph of a model. Each of `variables` is a Const node without a value."""

    nodes: tuple[Node, ...]
    functions: Mapping[str, Function]
    signature: Signature
    variables: tuple[Variable, ...]


def build(model: Stack | Network, origin: Origin, elements: int) -> Built:
    """The graph of a model whose variables have at most so many elements.

    ConversionError, with the layer's name, if a layer cannot do what it is asked to do with its inputs.
    """
    library = Library(origin, elements, _apply)
    root = Scope(library, library.main)
    entries = tuple(_entries(model, origin))
    inputs = tuple(root.placeholder(*entry) for entry in entries)
    outputs = _apply(model, root, inputs, {})
    names = FreshNames(())
    starts = {entry.name: value for entry, value in zip(entries, inputs)}
    ends = {names(name): value for name, value in zip(_output_names(model, origin), outputs)}
    for name, (before, after) in _states(library, FreshNames([*starts, *ends])):
        starts[name], ends[name] = before, after
    return Built(
        nodes=tuple(library.main.nodes),
        functions=library.functions,
        signature=Signature(_specs(starts), _specs(ends)),
        variables=tuple(stored.variable for stored in library.stored.values()),
    )


def _states(library: Library, fresh: FreshNames) -> Iterator[tuple[str, tuple[Value, Value]]]:
    """The states that layers keep, under the names that they have as inputs and as outputs."""
    for path, kept in library.kept.items():
        for number, pair in enumerate(zip(kept.before, kept.after)):
            yield fresh(f"{path.replace('/', '_')}_state_{number}"), pair


def _specs(values: Mapping[str, Value]) -> dict[str, TensorSpec]:
    return {name: TensorSpec(Tensor.parse(value.reference), value.dtype, value.shape) for name, value in values.items()}


# The model's ends --------------------------------------------------------------------------------


class _Entry(NamedTuple):
    """An input of the model."""

    name: str
    shape: Shape
    dtype: DType


def _entries(model: Part, origin: Origin) -> Iterator[_Entry]:
    """The inputs of a model, or of the layer that begins one."""
    if isinstance(model, Network):
        layers = {part.name: part for part in model.layers}
        for tensor in model.inputs:
            yield from _entries(layers[tensor.layer], origin)
    elif isinstance(model, Stack):
        if not model.layers:
            raise ConversionError("the model has no layers")
        first, name = model.layers[0], _names(model)[0]
        is_input = isinstance(first, Layer) and first.kind == "InputLayer"
        keeps = is_input or (origin.names_inner_input and not isinstance(first, Layer))
        for entry in _entries(first, origin):
            yield entry if keeps else entry._replace(name=f"{name}_input")
    else:
        yield _layer_entry(model)


def _layer_entry(layer: Layer) -> _Entry:
    length: Any = layer.options.get("input_length")
    shape = layer.shape
    if shape is None and layer.kind == "Embedding":
        shape = (None, *(length if isinstance(length, tuple) else (length,)))
    if shape is None:
        raise ConversionError("the model does not say what shape its input has", where=f"layer {layer.name!r}")
    dtype = DType.parse(layer.dtype)
    return _Entry(layer.name or _default_name(layer), shape, DType.float32 if dtype in FLOATS else dtype)


def _output_names(model: Part, origin: Origin) -> list[str]:
    """The layers that give the outputs."""
    if isinstance(model, Network):
        return [tensor.layer for tensor in model.outputs]
    if origin.names_inner_input and isinstance(model, Stack) and not isinstance(model.layers[0], Layer):
        return _output_names(model.layers[0], origin) if len(model.layers) == 1 else [_names(model)[-1]]
    return [_names(model)[-1]] if isinstance(model, Stack) else [model.name or _default_name(model)]


# Calls -------------------------------------------------------------------------------------------


def _apply(part: Part, scope: Scope, inputs: tuple[Value, ...], arguments: Mapping[str, Any]) -> tuple[Value, ...]:
    """What a layer or a model gives for these inputs. `scope` is its own."""
    if isinstance(part, Stack):
        return _stack(part, scope, inputs)
    if isinstance(part, Network):
        return _network(part, scope, inputs)
    return _layer(part, scope, inputs, arguments)


def _stack(stack: Stack, scope: Scope, inputs: tuple[Value, ...]) -> tuple[Value, ...]:
    values = inputs
    for part, name in zip(stack.layers, _names(stack)):
        values = _called(part, name, scope, values, {})
    return values


def _network(network: Network, scope: Scope, inputs: tuple[Value, ...]) -> tuple[Value, ...]:
    if len(inputs) != len(network.inputs):
        raise wrong_number(inputs, str(len(network.inputs)))
    results: _Results = {(tensor.layer, tensor.call): (value,) for tensor, value in zip(network.inputs, inputs)}
    layers = dict(zip(_names(network), network.layers))
    for number, call in needed_calls(network):
        given = tuple(_result(each, results) if isinstance(each, description.Tensor) else each for each in call.inputs)
        arguments = _arguments(call, results) if scope.origin.heeds_calls else {}
        results[call.layer, number] = _called(layers[call.layer], call.layer, scope, given, arguments)
    return tuple(_result(tensor, results) for tensor in network.outputs)


def _called(
    part: Part, name: str, scope: Scope, inputs: tuple[Any, ...], arguments: dict[str, Any]
) -> tuple[Value, ...]:
    is_model = not isinstance(part, Layer)
    call = _carrying if scope.origin.carries_masks else _apply
    with within(f"{'model' if is_model else 'layer'} {name!r}"):
        if not all(isinstance(each, Value) for each in inputs) and not _is_operator(part):
            raise ConversionError("the layer is called with something else than tensors")
        return call(part, scope.enter(name, is_model), inputs, arguments)


def _carrying(part: Part, scope: Scope, inputs: tuple[Value, ...], arguments: Mapping[str, Any]) -> tuple[Value, ...]:
    """A call that carries the mask of an earlier one. It does not become one of the output, nor leaves a model."""
    if not inputs:
        return _apply(part, scope, inputs, arguments)
    scope.carried.meet(inputs)
    first, *rest = inputs
    if not isinstance(part, Layer):
        inner = replace(scope, carried=scope.carried.of_model())
        return _unmasked(_apply(part, inner, _unmasked(inputs), arguments))
    if first.mask is not None or part.kind not in scope.origin.carries_masks:
        return _apply(part, scope, inputs, arguments)
    return _unmasked(_apply(part, scope, (first.masked(scope.carried.mask), *rest), arguments))


def _unmasked(values: Iterable[Value]) -> tuple[Value, ...]:
    return tuple(value.masked(None) for value in values)


_Results = dict[tuple[str, int], tuple[Value, ...]]


def _result(tensor: description.Tensor, results: _Results) -> Value:
    found = results[tensor.layer, tensor.call]
    if tensor.output >= len(found):
        where, expected = f"layer {tensor.layer!r}", f"less than {len(found)}"
        raise ConversionError("a layer has no such output", where=where, found=str(tensor.output), expected=expected)
    return found[tensor.output]


def _arguments(call: Call, results: _Results) -> dict[str, Any]:
    def read(value: description.Argument) -> Any:
        if isinstance(value, description.Tensor):
            return _result(value, results)
        return tuple(_result(each, results) for each in value) if isinstance(value, tuple) else value

    return {key: read(value) for key, value in call.arguments.items()}


# One layer ---------------------------------------------------------------------------------------


def _layer(layer: Layer, scope: Scope, inputs: tuple[Value, ...], arguments: Mapping[str, Any]) -> tuple[Value, ...]:
    make = LAYERS[layer.kind]
    given, further = prepared(layer.kind, scope.origin, inputs, arguments)
    least, most = takes(make)
    if not least <= len(given) <= most:
        raise wrong_number(given, str(least) if least == most else f"at least {least}")
    unknown = sorted(further.keys() - accepts(make))
    if unknown:
        raise ConversionError("the layer is called with an argument that it does not take", found=unknown[0])
    made = make(scope, *given, **layer.options, **further)
    outputs = (made,) if isinstance(made, Value) else tuple(made)
    if layer.kind in scope.origin.passes_masks:
        return tuple(output.masked(given[0].mask) for output in outputs)
    return tuple(output.masked(None) if output in given else output for output in outputs)


def _is_operator(part: Part) -> bool:
    return isinstance(part, Layer) and part.kind.startswith("ops.")


# Names -------------------------------------------------------------------------------------------

_WORD = re.compile("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _names(model: Stack | Network) -> list[str]:
    """The names of a model's layers; one without a name gets that of its kind, as Keras gives it."""
    taken = FreshNames(part.name for part in model.layers if part.name)
    return [part.name or taken(_default_name(part)) for part in model.layers]


def _default_name(part: Part) -> str:
    kind = part.kind if isinstance(part, Layer) else "sequential" if isinstance(part, Stack) else "model"
    return _WORD.sub("_", kind).lower()
