"""Checks that functions exist and fit the nodes that call them.

TensorFlow examines a function when it is first called: a SavedModel whose functions are missing, or do not fit their
callers, loads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bundler import ops
from bundler.errors import Fault, closest
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor
from bundler.ir.protos import AttrValue
from bundler.ir.prune import called, function_names

__all__ = ["call_faults", "function_faults", "name_faults", "recursion_faults"]

_BRANCHES = {"then_branch": ("Tin", "Tout"), "else_branch": ("Tin", "Tout")}
_LOOP = {"cond": ("T", ""), "body": ("T", "T")}
_CALL = {"f": ("Tin", "Tout")}
_CALLS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "If": _BRANCHES,
    "StatelessIf": _BRANCHES,
    "While": _LOOP,
    "StatelessWhile": _LOOP,
    "PartitionedCall": _CALL,
    "StatefulPartitionedCall": _CALL,
}
"""By op, the attributes that name a function, and those that list the dtypes of its arguments and results."""
_DEEPEST = 100
"""Calls within calls that are allowed."""


def name_faults(key: str, value: AttrValue, functions: Mapping[str, Function]) -> Iterator[Fault]:
    """Functions that an attribute names, at any depth, and that the model lacks."""
    for name in sorted({name for name in function_names(value) if name not in functions}):
        hint = closest(name, functions)
        yield Fault(f"attribute {key!r} names a function that the model does not have", found=repr(name), hint=hint)


def call_faults(node: Node, functions: Mapping[str, Function]) -> Iterator[Fault]:
    """Functions whose arguments or results differ from those of the node that calls them."""
    for key, (arguments, results) in _CALLS.get(node.op, {}).items():
        if key not in node.attr:
            yield Fault(f"{node.op} lacks an attribute that names a function", expected=key)
            continue
        for name in [*_directly(node.attr[key])]:
            if name in functions:
                signature = functions[name].definition.signature
                took, gave = ([arg.type for arg in side] for side in (signature.input_arg, signature.output_arg))
                yield from _difference(f"{key} {name!r} takes other arguments", took, _types(node, arguments))
                if results:
                    yield from _difference(f"{key} {name!r} gives other results", gave, _types(node, results))
                elif len(gave) != 1:
                    yield Fault(f"{key} {name!r} gives other results", "", f"{len(gave)}", "one")


def _directly(value: AttrValue) -> Iterator[str]:
    return (named.name for named in ([value.func] if value.HasField("func") else value.list.func))


def _types(node: Node, key: str) -> list[int]:
    return list(node.attr[key].list.type) if key in node.attr else []


def _difference(what: str, found: list[int], expected: list[int]) -> Iterator[Fault]:
    if found != expected:
        yield Fault(what, "", _listed(found), _listed(expected))


def _listed(types: list[int]) -> str:
    shown = ", ".join(DType(dtype).name for dtype in types[:8]) or "none"
    return f"{shown}, … ({len(types)})" if len(types) > 8 else shown


def function_faults(name: str, function: Function) -> Iterator[Fault]:
    """Faults of a function itself: its name, its arguments, its results."""
    signature = function.definition.signature
    if name in ops.table():
        yield Fault("the function has the name of an op")
    arguments = {arg.name: arg.type for arg in signature.input_arg}
    results = {arg.name: arg.type for arg in signature.output_arg}
    if len(arguments) < len(signature.input_arg) or len(results) < len(signature.output_arg):
        yield Fault("two arguments, or two results, have one name")
    for double in sorted(arguments.keys() & function.graph.by_name.keys()):
        yield Fault("an argument has the name of a node", found=repr(double))
    for result, dtype in results.items():
        if result not in function.returns:
            yield Fault("the function has no tensor for it", f"result {result!r}")
        else:
            fault = _result_fault(function.returns[result], dtype, arguments, function.graph)
            yield from [fault.inside(f"result {result!r}")] if fault else []


def _result_fault(tensor: Tensor, dtype: int, arguments: Mapping[str, int], graph: Graph) -> Fault | None:
    node = graph.by_name.get(tensor.node)
    if tensor.is_control or (tensor.port if node is None else not ops.has_port(node, tensor.port)):
        return Fault("no node of the function gives this", found=str(tensor))
    found = arguments.get(tensor.node) if node is None else ops.output_dtype(node, tensor.port)
    if found is None or found == dtype:
        return None
    return Fault("the result is of another dtype", "", DType(found).name, DType(dtype).name)


def recursion_faults(model: Model) -> Iterator[Fault]:
    """Functions that call themselves, of which TensorFlow dies, or call each other too deeply, which takes minutes."""
    depths, path = dict[str, int](), dict[str, list[str]]()
    pending = [*model.functions]
    while pending:
        name = pending[-1]
        if name in path:  # all functions that it calls have a depth by now
            depths[name] = 1 + max((depths[other] for other in path.pop(name)), default=0)
        elif name not in depths:
            calls = sorted(other for other in called(model.functions[name].graph.nodes) if other in model.functions)
            path[name] = calls
            if not path.keys().isdisjoint(calls):
                yield _circle(path, next(other for other in calls if other in path))
                return
            pending += [other for other in calls if other not in depths]
            continue
        pending.pop()
    deepest = max(depths, key=lambda name: depths[name], default="")
    if deepest and depths[deepest] > _DEEPEST:
        expected = f"at most {_DEEPEST}"
        yield Fault("too many functions call each other", f"function {deepest!r}", f"{depths[deepest]} deep", expected)


def _circle(path: Iterable[str], first: str) -> Fault:
    names = [*path]
    found = " → ".join([*names[names.index(first) :], first])
    return Fault("functions call themselves", f"function {first!r}", found[:200])
