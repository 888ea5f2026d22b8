"""The objects that `tf.saved_model.load` makes: nodes, and the names by which one is an attribute of another.

Layout: tensorflow/core/protobuf/saved_object_graph.proto, trackable_object_graph.proto. Python's reader is
python/saved_model/load.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from bundler.ir.protos import (
    SavedBareConcreteFunction,
    SavedConcreteFunction,
    SavedObject,
    SavedObjectGraph,
    SavedUserObject,
    TrackableObjectGraph,
)

if TYPE_CHECKING:
    from bundler.outputs.objects.captures import Capture
    from bundler.outputs.objects.functions import Made

__all__ = ["KEY_SUFFIX", "Objects", "checkpoint_graph"]

_VALUE = "VARIABLE_VALUE"
KEY_SUFFIX = f"/.ATTRIBUTES/{_VALUE}"
"""What a variable's key in a checkpoint has after its name. Python's loader finds the value by it."""


class Objects:
    """Collects objects. Each has a number; that of the root, which users get, is 0."""

    def __init__(self) -> None:
        self.message = SavedObjectGraph()
        self._captured: dict[str, int] = {}
        self.add(_user_object("_generic_user_object"))

    def add(self, saved: SavedObject, children: Mapping[str, int] = {}) -> int:
        """Add an object. Returns its number."""
        number = len(self.message.nodes)
        self.message.nodes.append(saved)
        self.adopt(number, children)
        return number

    def adopt(self, number: int, children: Mapping[str, int]) -> None:
        """Give an object further children, by name."""
        for name, child in children.items():
            self.message.nodes[number].children.add(node_id=child, local_name=name)

    def signatures(self, children: Mapping[str, int]) -> int:
        """Add the mapping from keys to functions."""
        return self.add(_user_object("signature_map"), children)

    def sequence(self, items: Iterable[int]) -> int:
        """Add a list."""
        return self.add(_user_object("trackable_list_wrapper"), {str(place): item for place, item in enumerate(items)})

    def captured(self, capture: Capture) -> int:
        """The number of what functions take from outside, which is added when it is first asked for."""
        if capture.node not in self._captured:
            self._captured[capture.node] = self.add(capture.object)
        return self._captured[capture.node]

    def function(
        self, made: Made, called: SavedConcreteFunction, saved: SavedBareConcreteFunction | None = None
    ) -> int:
        """Add a function, and what it takes from outside. `saved` is what users call, if they do.

        Variables and tables are its children, so that they live as long as it does: users may keep a
        signature alone.
        """
        bound = [self.captured(capture) for capture in made.captured]
        called.bound_inputs.extend(bound)
        self.message.concrete_functions[made.name].CopyFrom(called)
        bare = saved or SavedBareConcreteFunction()
        bare.concrete_function_name = made.name
        kept = {
            f"capture_{place}": number
            for place, number in enumerate(bound)
            if not self.message.nodes[number].HasField("constant")
        }
        return self.add(SavedObject(bare_concrete_function=bare), kept)


def checkpoint_graph(objects: SavedObjectGraph) -> bytes:
    """The same objects as a checkpoint has them, serialized: Python's loader walks both graphs side by side."""
    made = TrackableObjectGraph()
    for saved in objects.nodes:
        is_function = saved.HasField("bare_concrete_function")
        node = made.nodes.add(children=() if is_function else saved.children)
        if saved.HasField("variable"):
            name = saved.variable.name
            node.attributes.add(name=_VALUE, full_name=name, checkpoint_key=name + KEY_SUFFIX)
    content: bytes = made.SerializeToString(deterministic=True)
    return content


def _user_object(identifier: str) -> SavedObject:
    saved = SavedObject(user_object=SavedUserObject(identifier=identifier))
    saved.user_object.version.producer = saved.user_object.version.min_consumer = 1
    return saved
