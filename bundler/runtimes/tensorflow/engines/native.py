"""TensorFlow by its C API."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from .capi import STRING_SIZE, Output, bind
from .wire import STRING, Port, Refused, Spec, Value, version

__all__ = ["Native", "Session"]


class Session(NamedTuple):
    """Pointers to TF_Graph and TF_Session, and the key of the SavedModel that they were loaded from, `()` for none."""

    graph: int
    pointer: int
    key: tuple[object, ...]


class Native:
    """The engine on libtensorflow_cc; see `serve.Engine`."""

    def __init__(self, library: str) -> None:
        self._c = bind(library)
        self._kept: Session | None = None

    def shapes(self, graph_def: bytes, tensors: list[Port]) -> list[Spec]:
        graph = self._c.TF_NewGraph()
        try:
            self._import(graph, graph_def)
            return [self._spec(graph, tensor) for tensor in tensors]
        finally:
            self._c.TF_DeleteGraph(graph)

    def load(self, folder: str, tags: list[str], tensors: list[Port]) -> list[Spec]:
        session = self._open(folder, tags)
        try:
            return [self._spec(session.graph, tensor) for tensor in tensors]
        finally:
            self._close(session)

    def run(
        self, folder: str, tags: list[str], inputs: list[Port], values: list[Value], outputs: list[Port]
    ) -> list[Value]:
        return self._values(self._keep(folder, tags), inputs, values, outputs)

    def evaluate(self, graph_def: bytes, inputs: list[Port], values: list[Value], outputs: list[Port]) -> list[Value]:
        session = self._start(graph_def)
        try:
            return self._values(session, inputs, values, outputs)
        finally:
            self._close(session)

    def execute(self, graph_def: bytes, nodes: list[str]) -> None:
        session = self._start(graph_def)
        try:
            self._run(session, targets=[self._oper(session.graph, name) for name in nodes])
        finally:
            self._close(session)

    def _values(self, session: Session, inputs: list[Port], values: list[Value], outputs: list[Port]) -> list[Value]:
        feeds = [self._output(session.graph, tensor) for tensor in inputs]
        fetches = [self._output(session.graph, tensor) for tensor in outputs]
        given = [self._allocate(value) for value in values]
        made = (ctypes.c_void_p * len(fetches))()
        try:
            self._run(session, feeds, given, fetches, made)
            return [self._value(pointer) for pointer in filter(None, made)]
        finally:
            for pointer in filter(None, [*given, *made]):
                self._c.TF_DeleteTensor(pointer)

    @contextmanager
    def _checked(self) -> Iterator[int]:
        """A TF_Status for one call. Raises Refused if the call sets an error."""
        status = self._c.TF_NewStatus()
        try:
            yield status
            if self._c.TF_GetCode(status):
                raise Refused(self._c.TF_Message(status).decode(errors="replace"))
        finally:
            self._c.TF_DeleteStatus(status)

    def _import(self, graph: int, graph_def: bytes) -> None:
        buffer = self._c.TF_NewBufferFromString(graph_def, len(graph_def))
        options = self._c.TF_NewImportGraphDefOptions()
        try:
            with self._checked() as status:
                self._c.TF_GraphImportGraphDef(graph, buffer, options, status)
        finally:
            self._c.TF_DeleteImportGraphDefOptions(options)
            self._c.TF_DeleteBuffer(buffer)

    def _oper(self, graph: int, name: str) -> int:
        oper: int | None = self._c.TF_GraphOperationByName(graph, name.encode())
        if not oper:
            raise Refused(f"there is no node {name!r} in the graph")
        return oper

    def _output(self, graph: int, tensor: Port) -> Output:
        name, port = tensor
        oper = self._oper(graph, name)
        if port >= self._c.TF_OperationNumOutputs(oper):
            raise Refused(f"node {name!r} has no output {port}")
        return Output(oper, port)

    def _spec(self, graph: int, tensor: Port) -> Spec:
        output = self._output(graph, tensor)
        dtype = self._c.TF_OperationOutputType(output)
        with self._checked() as status:
            rank = self._c.TF_GraphGetTensorNumDims(graph, output, status)
        if rank < 0:
            return dtype, None
        dims = (ctypes.c_int64 * rank)()
        with self._checked() as status:
            self._c.TF_GraphGetTensorShape(graph, output, dims, rank, status)
        return dtype, tuple(None if dim < 0 else dim for dim in dims)

    def _keep(self, folder: str, tags: list[str]) -> Session:
        """The session of a SavedModel, kept until another SavedModel is asked for."""
        if self._kept is None or self._kept.key != _key(folder, tags):
            if self._kept is not None:
                self._close(self._kept)
                self._kept = None
            self._kept = self._open(folder, tags)
        return self._kept

    def _open(self, folder: str, tags: list[str]) -> Session:
        def load(graph: int, options: int, status: int) -> int | None:
            spelled = (ctypes.c_char_p * len(tags))(*(tag.encode() for tag in tags))
            found: int | None = self._c.TF_LoadSessionFromSavedModel(
                options, None, folder.encode(), spelled, len(tags), graph, None, status
            )
            return found

        return self._session(load, _key(folder, tags))

    def _start(self, graph_def: bytes) -> Session:
        """A session of a serialized GraphDef."""

        def start(graph: int, options: int, status: int) -> int | None:
            self._import(graph, graph_def)
            made: int | None = self._c.TF_NewSession(graph, options, status)
            return made

        return self._session(start, ())

    def _session(self, make: Callable[[int, int, int], int | None], key: tuple[object, ...]) -> Session:
        """The session that `make` returns for a new TF_Graph, TF_SessionOptions and TF_Status."""
        graph, options = self._c.TF_NewGraph(), self._c.TF_NewSessionOptions()
        try:
            with self._checked() as status:
                pointer = make(graph, options, status)
        except Refused:
            self._c.TF_DeleteGraph(graph)
            raise
        finally:
            self._c.TF_DeleteSessionOptions(options)
        assert pointer is not None
        return Session(graph, pointer, key)

    def _close(self, session: Session) -> None:
        for function in (self._c.TF_CloseSession, self._c.TF_DeleteSession):
            with self._checked() as status:
                function(session.pointer, status)
        self._c.TF_DeleteGraph(session.graph)

    def _run(
        self,
        session: Session,
        feeds: Sequence[Output] = (),
        given: Sequence[int] = (),
        fetches: Sequence[Output] = (),
        made: ctypes.Array[ctypes.c_void_p] | None = None,
        targets: Sequence[int] = (),
    ) -> None:
        inputs = (Output * len(feeds))(*feeds), (ctypes.c_void_p * len(given))(*given), len(feeds)
        outputs = (Output * len(fetches))(*fetches), made, len(fetches)
        also = (ctypes.c_void_p * len(targets))(*targets), len(targets)
        with self._checked() as status:
            self._c.TF_SessionRun(session.pointer, None, *inputs, *outputs, *also, None, status)

    def _allocate(self, value: Value) -> int:
        """A TF_Tensor. Its strings are views of `value`, which must outlive it."""
        dtype, shape, content = value
        dims = (ctypes.c_int64 * len(shape))(*shape)
        size = STRING_SIZE * len(content) if dtype == STRING else len(content)
        tensor: int = self._c.TF_AllocateTensor(dtype, dims, len(shape), size)
        data = self._c.TF_TensorData(tensor)
        if isinstance(content, bytes):
            ctypes.memmove(data, content, size)
        else:
            ctypes.memset(data, 0, size)  # TF_StringInit leaves zeros
            for at, string in enumerate(content):
                self._c.TF_StringAssignView(data + STRING_SIZE * at, string, len(string))
        return tensor

    def _value(self, tensor: int) -> Value:
        dtype, rank = self._c.TF_TensorType(tensor), self._c.TF_NumDims(tensor)
        shape = tuple(self._c.TF_Dim(tensor, axis) for axis in range(rank))
        data = self._c.TF_TensorData(tensor)
        if dtype != STRING:
            return dtype, shape, _bytes(data, self._c.TF_TensorByteSize(tensor))
        strings = (data + STRING_SIZE * at for at in range(self._c.TF_TensorElementCount(tensor)))
        return dtype, shape, [self._string(pointer) for pointer in strings]

    def _string(self, pointer: int) -> bytes:
        return _bytes(self._c.TF_StringGetDataPointer(pointer), self._c.TF_StringGetSize(pointer))


def _bytes(address: int, size: int) -> bytes:
    return (ctypes.c_char * size).from_address(address).raw if size else b""


def _key(folder: str, tags: list[str]) -> tuple[object, ...]:
    return folder, tuple(tags), version(folder)
