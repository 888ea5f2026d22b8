"""TensorFlow by its Python package, for wheels that have no library with the C API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .wire import STRING, Port, Refused, Spec, Value, version

__all__ = ["Python"]


class Python:
    """The engine on `import tensorflow`; see `serve.Engine`."""

    def __init__(self) -> None:
        import numpy
        import tensorflow
        from google.protobuf.message import DecodeError

        self._numpy: Any = numpy
        self._tf: Any = tensorflow
        self._refusals = (tensorflow.errors.OpError, DecodeError, OSError, RuntimeError, TypeError, ValueError)
        self._kept: Any = None
        self._key: tuple[object, ...] = ()
        self._loaded: Any = None
        self._loaded_key: tuple[object, ...] = ()

    def shapes(self, graph_def: bytes, tensors: list[Port]) -> list[Spec]:
        with self._checked():
            graph = self._graph(graph_def)
            return [self._spec(graph, tensor) for tensor in tensors]

    def load(self, folder: str, tags: list[str], tensors: list[Port]) -> list[Spec]:
        with self._checked(), self._open(folder, tags) as session:
            return [self._spec(session.graph, tensor) for tensor in tensors]

    def run(
        self, folder: str, tags: list[str], inputs: list[Port], values: list[Value], outputs: list[Port]
    ) -> list[Value]:
        with self._checked():
            return self._values(self._keep(folder, tags), inputs, values, outputs)

    def evaluate(self, graph_def: bytes, inputs: list[Port], values: list[Value], outputs: list[Port]) -> list[Value]:
        with self._checked(), self._tf.compat.v1.Session(graph=self._graph(graph_def)) as session:
            return self._values(session, inputs, values, outputs)

    def call(self, folder: str, tags: list[str], key: str, feeds: dict[str, Value]) -> dict[str, Value]:
        """The outputs of a signature as `tf.saved_model.load` gives it, by name."""
        with self._checked():
            signature = self._load(folder, tags).signatures[key]
            given = {name: self._tf.constant(self._array(value)) for name, value in feeds.items()}
            return {name: self._value(found.numpy()) for name, found in signature(**given).items()}

    def execute(self, graph_def: bytes, nodes: list[str]) -> None:
        with self._checked(), self._tf.compat.v1.Session(graph=self._graph(graph_def)) as session:
            session.run([session.graph.get_operation_by_name(name) for name in nodes])

    @contextmanager
    def _checked(self) -> Iterator[None]:
        """Raise Refused for TensorFlow's errors, and for the built-in ones that it raises for graphs."""
        try:
            yield
        except KeyError as error:  # str(error) would be the argument's repr
            raise Refused(error.args[0]) from None
        except self._refusals as error:
            raise Refused(getattr(error, "message", str(error))) from None

    def _graph(self, graph_def: bytes) -> Any:
        graph = self._tf.Graph()
        with graph.as_default():
            message = self._tf.compat.v1.GraphDef.FromString(graph_def)
            self._tf.graph_util.import_graph_def(message, name="")
        return graph

    def _spec(self, graph: Any, tensor: Port) -> Spec:
        found = graph.get_tensor_by_name(_name(tensor))
        shape = None if found.shape.rank is None else tuple(found.shape.as_list())
        return found.dtype.as_datatype_enum, shape

    def _open(self, folder: str, tags: list[str]) -> Any:
        session = self._tf.compat.v1.Session(graph=self._tf.Graph())
        with session.graph.as_default():
            self._tf.compat.v1.saved_model.load(session, tags, folder)
        return session

    def _keep(self, folder: str, tags: list[str]) -> Any:
        """The session of a SavedModel, kept until another SavedModel is asked for."""
        key = (folder, tuple(tags), version(folder))
        if self._key != key:
            self._kept, self._key = self._open(folder, tags), key
        return self._kept

    def _values(self, session: Any, inputs: list[Port], values: list[Value], outputs: list[Port]) -> list[Value]:
        feeds = {_name(tensor): self._array(value) for tensor, value in zip(inputs, values, strict=True)}
        return [self._value(array) for array in session.run([_name(tensor) for tensor in outputs], feeds)]

    def _load(self, folder: str, tags: list[str]) -> Any:
        """The object of a SavedModel, kept until another SavedModel is asked for."""
        key = (folder, tuple(tags), version(folder))
        if self._loaded_key != key:
            self._loaded, self._loaded_key = None, ()  # the memory of the old one, before the new one needs it
            self._loaded, self._loaded_key = self._tf.saved_model.load(folder, tags=tags), key
        return self._loaded

    def _array(self, value: Value) -> Any:
        dtype, shape, content = value
        if dtype == STRING:
            return self._numpy.array(content, object).reshape(shape)
        return self._numpy.frombuffer(content, self._tf.as_dtype(dtype).as_numpy_dtype).reshape(shape)

    def _value(self, fetched: Any) -> Value:
        array = self._numpy.asarray(fetched)
        dtype = self._tf.as_dtype(array.dtype).as_datatype_enum
        content = array.ravel().tolist() if dtype == STRING else array.tobytes()
        return dtype, array.shape, content


def _name(tensor: Port) -> str:
    name, port = tensor
    return f"{name}:{port}"
