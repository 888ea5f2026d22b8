"""New names for the inputs and outputs of a GraphDef, in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from bundler import ops
from bundler.api.failures import InputError
from bundler.api.graphs import NodeInfo, get_input_nodes, get_output_nodes
from bundler.errors import Fault, closest
from bundler.ir.nodes import Node, Tensor, new_node
from bundler.ir.protos import GraphDef, NodeDef

__all__ = ["rename_input_nodes", "rename_output_nodes"]


def rename_input_nodes(graph_def: GraphDef, name_mapping: Mapping[str, str]) -> GraphDef:
    """Rename Placeholders in place. Returns the same message.

    Raises InputError for an old name that is no input, and for a new one that is in use.
    """
    _check(graph_def, get_input_nodes(graph_def), name_mapping)
    for each in graph_def.node:
        each.name = name_mapping.get(each.name, each.name)
        each.input[:] = [_renamed(reference, name_mapping) for reference in each.input]
    return graph_def


def rename_output_nodes(graph_def: GraphDef, name_mapping: Mapping[str, str]) -> GraphDef:
    """Rename output nodes in place. Returns the same message.

    An Identity gets the new name; any other node keeps its own, and an Identity of the new name reads it. Raises
    InputError for an old name that is no output, and for a new one that is in use.
    """
    outputs = get_output_nodes(graph_def)
    _check(graph_def, outputs, name_mapping)
    by_name = {each.name: each for each in graph_def.node}
    for old, new in name_mapping.items():
        if by_name[old].op == "Identity":
            by_name[old].name = new
        else:
            graph_def.node.append(_identity(by_name[old], new))
    return graph_def


def _check(graph_def: GraphDef, nodes: Iterable[NodeInfo], mapping: Mapping[str, str]) -> None:
    known = {info.name for info in nodes}
    taken = {each.name for each in graph_def.node}
    asked = Counter(mapping.values())
    faults = [Fault("is no name of theirs", repr(old), hint=closest(old, known)) for old in mapping if old not in known]
    faults += [
        Fault(f"{new!r} is in use already", repr(old)) for old, new in mapping.items() if new in taken or asked[new] > 1
    ]
    if faults:
        raise InputError.of(faults)


def _renamed(reference: str, mapping: Mapping[str, str]) -> str:
    tensor = Tensor.parse(reference)
    return str(tensor._replace(node=mapping.get(tensor.node, tensor.node)))


def _identity(source: NodeDef, name: str) -> NodeDef:
    return new_node("Identity", name, [source.name], T=ops.output_dtype(Node.of(source), 0)).message
