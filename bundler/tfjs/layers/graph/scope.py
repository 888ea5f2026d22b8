"""Where a layer writes its nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from bundler.drafting import scope
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.ir import nodes
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Shape
from bundler.tfjs.layers.description import Part
from bundler.tfjs.layers.graph.carried import Carried
from bundler.tfjs.layers.graph.library import Kept, Library, Stored
from bundler.tfjs.layers.matching import Variable
from bundler.tfjs.layers.origins import Origin

__all__ = ["Make", "Scope"]

Make: TypeAlias = "Callable[..., Value | tuple[Value, ...]]"
"""A layer: `(scope, *inputs, **options)` to its outputs."""


@dataclass(frozen=True)
class Scope(scope.Scope):
    """A place in a graph: a call of a layer.

    Nodes and weights are called `models/layer/part/…`: the models around the layer, the layer that owns the weights,
    and a part of it, such as a cell. Nodes of a further call get numbers behind their names; weights are the same.
    """

    library: Library
    models: str = ""
    layer: str = ""
    part: str = ""
    carried: Carried = field(default_factory=Carried)

    @property
    def name(self) -> str:
        """How the names of nodes and weights begin."""
        return _joined(self.models, self.layer, self.part)

    @property
    def origin(self) -> Origin:
        """The library that gives layers their meaning."""
        return self.library.origin

    # Variables -----------------------------------------------------------------------------------

    def weight(self, name: str, shape: Sequence[int | None], dtype: DType = DType.float32) -> Value:
        """A variable of the layer, the same one in every call. Its value stays in the file.

        ConversionError if a size is unknown, or the file has not so many elements.
        """
        path = _joined(self.name, name)
        if path not in self.library.stored:
            self.library.stored[path] = self._store(name, path, shape, dtype)
        return self.library.stored[path].value

    def _store(self, name: str, path: str, shape: Sequence[int | None], dtype: DType) -> Stored:
        known = tuple(size for size in shape if size is not None)
        if len(known) < len(shape):
            raise ConversionError(f"the shape of {name!r} depends on a size of the input that is unknown")
        self.library.spend_elements(path, known)
        main = self.library.main
        node = nodes.new_node("Const", main.fresh(path), dtype=dtype)
        main.nodes.append(node)
        variable = Variable(self.layer, _joined(self.layer, self.part, name), known, node.name, dtype)
        return Stored(variable, Value(node.name, known, dtype, main))

    # States --------------------------------------------------------------------------------------

    def recall(self, shapes: Sequence[Shape]) -> tuple[Value, ...]:
        """The float32 states that the layer kept: from its last call in this graph, or else as inputs of the model."""
        if self.name not in self.library.kept:
            inputs = tuple(self.placeholder(f"state_{number}", shape) for number, shape in enumerate(shapes))
            self.library.kept[self.name] = Kept(inputs, inputs)
        return self.library.kept[self.name].after

    def keep(self, states: Sequence[Value]) -> None:
        """Keep what `recall` gives next time: in the next call of the layer, or of the model."""
        self.library.kept[self.name] = self.library.kept[self.name]._replace(after=tuple(states))

    def placeholder(self, name: str, shape: Shape, dtype: DType = DType.float32) -> Value:
        """An input of the model."""
        made = nodes.new_node("Placeholder", self.fresh(name), dtype=dtype, shape=nodes.shape_proto(shape))
        self.library.main.nodes.append(made)
        return Value(made.name, shape, dtype, self.library.main)

    # Scopes in scopes ----------------------------------------------------------------------------

    def inside(self, name: str) -> Scope:
        """A part of the layer: its nodes and weights are called `layer/name/…`."""
        return replace(self, part=_joined(self.part, name))

    def enter(self, name: str, is_model: bool = False) -> Scope:
        """A layer of the model that this scope belongs to, or a model in it."""
        if is_model:
            return replace(self, models=_joined(self.name, name), layer="", part="")
        return replace(self, models=self.name, layer=name, part="")

    def apply(self, part: Part, *inputs: Value, **arguments: Any) -> tuple[Value, ...]:
        """Call a layer or a model that an option of this layer holds."""
        return self.library.apply(part, self, inputs, arguments)


def _joined(*names: str) -> str:
    return "/".join(name for name in names if name)
