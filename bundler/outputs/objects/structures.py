"""How Python calls a function: the structures of its arguments and results, as TensorFlow writes them.

Layout: tensorflow/core/protobuf/struct.proto; python/saved_model/nested_structure_coder.py reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bundler.ir.model import TensorSpec
from bundler.ir.nodes import shape_proto
from bundler.ir.protos import (
    FunctionSpec,
    SavedBareConcreteFunction,
    SavedConcreteFunction,
    StructuredValue,
    TensorSpecProto,
)
from bundler.outputs.objects.functions import Result
from bundler.serving.arguments import argument

__all__ = ["callable_by", "called", "returning"]


def called(inputs: Mapping[str, TensorSpec], outputs: Mapping[str, TensorSpec]) -> SavedConcreteFunction:
    """How a function is called: keyword arguments in, a dict out."""
    arguments = {argument(key): _tensor(key, spec) for key, spec in inputs.items()}
    results = {key: _tensor(key, spec) for key, spec in outputs.items()}
    return SavedConcreteFunction(canonicalized_input_signature=_call(arguments), output_signature=_dict(results))


def returning(result: Result) -> SavedConcreteFunction:
    """How a function is called that has no parameters and returns one scalar."""
    returned = _tensor("", TensorSpec(result.tensor, result.dtype, ()))
    return SavedConcreteFunction(canonicalized_input_signature=_call({}), output_signature=returned)


def callable_by(keys: Sequence[str]) -> SavedBareConcreteFunction:
    """The Python function for callers: the only argument may also be passed by its place."""
    spec = FunctionSpec(fullargspec=_arguments([argument(key) for key in keys]))
    spec.input_signature.none_value.SetInParent()
    return SavedBareConcreteFunction(
        argument_keywords=keys, allowed_positional_arguments=int(len(keys) == 1), function_spec=spec
    )


def _arguments(names: Sequence[str]) -> StructuredValue:
    """An `inspect.FullArgSpec` of keyword arguments."""
    fields: Mapping[str, StructuredValue] = {
        "args": _list(()),
        "varargs": _none(),
        "varkw": _none(),
        "defaults": _none(),
        "kwonlyargs": _list(names),
        "kwonlydefaults": _none(),
        "annotations": _dict({}),
    }
    made = StructuredValue()
    made.named_tuple_value.name = "FullArgSpec"
    for key, value in fields.items():
        made.named_tuple_value.values.add(key=key, value=value)
    return made


def _call(arguments: Mapping[str, StructuredValue]) -> StructuredValue:
    """The pair of an empty tuple and a dict of keyword arguments."""
    made = StructuredValue()
    made.tuple_value.values.add().tuple_value.SetInParent()
    made.tuple_value.values.append(_dict(arguments))
    return made


def _tensor(name: str, spec: TensorSpec) -> StructuredValue:
    """A `tf.TensorSpec`."""
    dtype = spec.dtype.value if spec.dtype is not None else 0
    return StructuredValue(tensor_spec_value=TensorSpecProto(name=name, shape=shape_proto(spec.shape), dtype=dtype))


def _dict(values: Mapping[str, StructuredValue]) -> StructuredValue:
    made = StructuredValue()
    made.dict_value.SetInParent()
    for key, value in values.items():
        made.dict_value.fields[key].CopyFrom(value)
    return made


def _list(values: Sequence[str]) -> StructuredValue:
    made = StructuredValue()
    made.list_value.SetInParent()
    for value in values:
        made.list_value.values.add(string_value=value)
    return made


def _none() -> StructuredValue:
    made = StructuredValue()
    made.none_value.SetInParent()
    return made
