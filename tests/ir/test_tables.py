"""Hash tables keep apart what is apart, and together what is together."""

from __future__ import annotations

from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, attr, new_node
from bundler.ir.tables import shared_names, with_own_names


def table(name: str, shared_name: str | None = None) -> Node:
    return new_node("HashTableV2", name, shared_name=shared_name, use_node_name_sharing=True)


def test_nodes_of_one_table_stay_so_under_the_name_of_the_first() -> None:
    model = Model(Graph((table("a", "hash_table_17"), table("b", "hash_table_9"), table("c", "hash_table_17"))))
    assert list(shared_names(with_own_names(model).graph.nodes)) == ["a", "b", "a"]


def test_a_table_without_a_shared_name_gets_that_of_its_node() -> None:
    (named,) = with_own_names(Model(Graph((table("a"),)))).graph.nodes
    assert attr(named, "shared_name") == "a"
    assert attr(named, "use_node_name_sharing") is True


def test_other_nodes_share_no_table() -> None:
    other = new_node("VarHandleOp", "variable", shared_name="weights")
    assert list(shared_names([other])) == []
    assert with_own_names(Model(Graph((other,)))).graph.nodes == (other,)
