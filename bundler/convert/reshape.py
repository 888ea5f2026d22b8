"""`shapes` of a manifest: dimensions of a model's inputs that are fixed, or left open.

The Placeholders get the shapes; TensorFlow infers those of the outputs. Whether a graph works with another batch than
the one that it was made for shows when it runs: see `checks.batches`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bundler.convert.naming import keys_by_name
from bundler.errors import Fault, Place, closest
from bundler.ir.model import Model, TensorSpec
from bundler.ir.nodes import Node, Shape, Tensor, attr, shape_of, shape_proto
from bundler.ir.protos import TensorShapeProto

__all__ = ["Reshaped", "reshape"]


@dataclass(frozen=True)
class Reshaped:
    """A model with the shapes of the manifest; or the model as it was, and what is wrong with them.

    `batched`: an input takes another number of rows than before.
    """

    model: Model
    batched: bool = False
    faults: tuple[Fault, ...] = ()


def reshape(model: Model, shapes: Mapping[str, Sequence[int]]) -> Reshaped:
    """The model whose inputs have these shapes, by key or tensor; -1 is an unknown size.

    Faults have their place in the model's table: `("shapes", "image")`.
    """
    if not shapes:
        return Reshaped(model)
    asked = _Asked(model, {name: tuple(None if size < 0 else size for size in sizes) for name, sizes in shapes.items()})
    faults = tuple(asked.faults)
    return Reshaped(model, faults=faults) if faults else Reshaped(asked.model, asked.batched)


class _Asked:
    """The shapes that a manifest gives to the inputs of a model."""

    def __init__(self, model: Model, shapes: Mapping[str, Shape]) -> None:
        (own,) = model.signatures.values()
        self._own = own
        self._model = model
        self._shapes = shapes
        self._keys = keys_by_name(own.inputs)
        self._new = {self._tensor(name).node: shape for name, shape in shapes.items()}

    @property
    def model(self) -> Model:
        graph = self._model.graph
        nodes = tuple(self._shaped(node) if node.name in self._new else node for node in graph.nodes)
        return replace(self._model, graph=replace(graph, nodes=nodes)).map_signatures(self._spec)

    @property
    def batched(self) -> bool:
        """Whether an input of a known number of rows takes another, or any."""
        return any(
            old is not None and old[:1] != (None,) and new and old[:1] != new[:1]
            for old, new in ((self._old(name), shape) for name, shape in self._shapes.items())
        )

    @property
    def faults(self) -> Iterator[Fault]:
        seen: dict[Tensor, str] = {}
        for name, shape in self._shapes.items():
            tensor, place = self._tensor(name), Place(("shapes", name))
            node = self._model.graph.by_name.get(tensor.node)
            if node is None or tensor.port or not node.op.startswith("Placeholder"):
                inputs = ", ".join(sorted(self._own.inputs)) or "none"
                hint = closest(name, [*self._keys, *self._placeholders()]) or f"its own inputs are {inputs}"
                yield Fault("the model has no such input", found=repr(name), hint=hint, place=place)
                continue
            old = self._old(name)
            if old is not None and len(old) != len(shape):
                yield Fault("the input has another rank", found=_spell(shape), expected=_spell(old), place=place)
            if tensor in seen:
                yield Fault("the input has a shape already", found=repr(seen[tensor]), place=place)
            seen[tensor] = name

    def _tensor(self, name: str) -> Tensor:
        return self._own.inputs[self._keys[name]].tensor if name in self._keys else Tensor.parse(name)

    def _old(self, name: str) -> Shape | None:
        """The shape that the model gives an input; None if it is unknown."""
        if name in self._keys and self._own.inputs[self._keys[name]].shape is not None:
            return self._own.inputs[self._keys[name]].shape
        known = attr(self._model.graph.by_name[self._tensor(name).node], "shape")
        # As in signatures, a shape without dimensions is an unknown shape.
        return shape_of(known) if isinstance(known, TensorShapeProto) and known.dim else None

    def _placeholders(self) -> Iterator[str]:
        return (node.name for node in self._model.graph.nodes if node.op.startswith("Placeholder"))

    def _shaped(self, node: Node) -> Node:
        return node.having(shape=shape_proto(self._new[node.name]))

    def _spec(self, spec: TensorSpec) -> TensorSpec:
        """A signature's entry: an input with its new shape, an output without a shape."""
        fed = {own.tensor for own in self._own.inputs.values()}
        if spec.tensor.node in self._new and not spec.tensor.port:
            return replace(spec, shape=self._new[spec.tensor.node])
        return spec if spec.tensor in fed else replace(spec, shape=None)


def _spell(shape: Shape) -> str:
    return f"[{', '.join('-1' if size is None else str(size) for size in shape)}]"
