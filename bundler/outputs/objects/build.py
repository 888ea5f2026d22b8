"""From a linked model to its objects.

root
├── signatures            a function for each key
├── variables             all, in the order of the graph
├── trainable_variables   the same
└── tables                each with functions that make and fill it
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bundler.ir.dtypes import DType
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function, Model, Signature, TensorSpec
from bundler.ir.protos import SavedObject, SavedResource
from bundler.outputs.objects import structures
from bundler.outputs.objects.captures import captures
from bundler.outputs.objects.functions import Made, Parameter, Result, function
from bundler.outputs.objects.lean import lean
from bundler.outputs.objects.objects import Objects
from bundler.outputs.objects.parts import Parts
from bundler.outputs.objects.tables import Table, tables, with_tables
from bundler.outputs.variables import Variable
from bundler.serving.arguments import argument

__all__ = ["Builder"]


class Builder:
    """Adds the objects of a model, and the functions behind them."""

    def __init__(self, model: Model, variables: Collection[Variable]) -> None:
        self.objects = Objects()
        self.functions: Mapping[str, Function] = {}
        self._variables = variables
        self._tables = tables(model)
        self._captures = captures(model, variables)
        graph = with_tables(model.graph, self._tables)
        self._makers = Parts(graph, {})
        self._parts = Parts(graph, self._captures)
        self._names = FreshNames(model.functions)
        self._made: dict[str, Made] = {}

    def build(self, signatures: Mapping[str, Signature]) -> None:
        """Add all."""
        handles = [self.objects.captured(self._captures[variable.handle]) for variable in self._variables]
        root = {name: self.objects.sequence(handles) for name in ("variables", "trainable_variables") if handles}
        if self._tables:
            root["tables"] = self.objects.sequence([self._table(table) for table in self._tables])
        functions = {key: self._signature(signatures[key]) for key in sorted(signatures)}
        root["signatures"] = self.objects.signatures(functions)
        self.objects.adopt(0, root)
        self.functions = lean(self._made, self._names)

    def _signature(self, signature: Signature) -> int:
        """Add the function of a signature. Python's names of its arguments give their order."""
        keys = sorted(signature.inputs, key=argument)
        inputs = {key: signature.inputs[key] for key in keys}
        outputs = {key: signature.outputs[key] for key in sorted(signature.outputs)}
        parameters = [Parameter(key, spec.tensor, _dtype(spec), spec.shape) for key, spec in inputs.items()]
        results = [Result(spec.tensor, _dtype(spec), spec.shape) for spec in outputs.values()]
        made = self._function("signature", self._parts, parameters, results)
        return self.objects.function(made, structures.called(inputs, outputs), structures.callable_by(keys))

    def _table(self, table: Table) -> int:
        """Add a table with the functions that make and fill it."""
        capture = self._captures.get(table.node)
        number = self.objects.captured(capture) if capture else self.objects.add(SavedObject(resource=SavedResource()))
        made = self._procedure("create_table", self._makers, table.made)
        filled = self._procedure("fill_table", self._parts, table.filled)
        self.objects.adopt(number, {"_create_resource": made, "_initialize": filled})
        return number

    def _procedure(self, name: str, parts: Parts, result: Result) -> int:
        """Add a function without parameters."""
        return self.objects.function(self._function(name, parts, (), [result]), structures.returning(result))

    def _function(self, name: str, parts: Parts, parameters: Sequence[Parameter], results: Sequence[Result]) -> Made:
        made = function(self._names(name), parts, parameters, results)
        self._made[made.name] = made
        return made


def _dtype(spec: TensorSpec) -> DType:
    assert spec.dtype is not None, "dtypes were inferred"
    return spec.dtype
