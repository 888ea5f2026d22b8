"""Names that TensorFlow refuses get others, and all that refers to them follows."""

from __future__ import annotations

from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, new_node, show
from bundler.ir.protos import FunctionDef, NameAttrList, OpDef
from bundler.rewrites.rules.names import legal_names

FLOAT = DType.float32


def chain(*names: str) -> tuple[Node, ...]:
    return tuple(new_node("Neg", name, [read], T=FLOAT) for read, name in zip(("x", *names), names))


def renamed(*names: str) -> list[str]:
    return [made.name for made in legal_names(Model(Graph(chain(*names)))).graph.nodes]


def test_letters_digits_and_a_few_signs_of_ascii_stay() -> None:
    names = ["a", "A1", ".x", "a/b-c.d_e", "a>b", "1x", "a_", "a-/"]
    assert renamed(*names) == names


def test_everything_else_is_an_underscore() -> None:
    changed = renamed("a b", "naïf", "c\\d", "q>", "e>>f", "g\n")
    assert changed == ["a_b", "na_f", "c_d", "q_", "e__f", "g_"]


def test_a_name_begins_with_a_letter_a_digit_or_a_dot() -> None:
    assert renamed("_x", "-y", "/z", "ä", "日本", ">q", "") == ["n_x", "n-y", "n/z", "n_", "n__", "n_q", "n"]


def test_new_names_are_unlike_all_others() -> None:
    assert renamed("a b", "a_b", "a!b", "a_b_1") == ["a_b_2", "a_b", "a_b_3", "a_b_1"]


def test_inputs_control_edges_signatures_and_initializers_follow() -> None:
    waiting = new_node("Neg", "y", ["a b:1", "^a b"], T=FLOAT)
    spec = TensorSpec(Tensor("a b", 1), FLOAT)
    model = Model(Graph((*chain("a b"), waiting)), {"k": Signature({}, {"a b": spec})}, initializers=("a b",))
    made = legal_names(model)
    assert show(made.graph.nodes[1]) == "y = Neg(a_b:1, ^a_b)"
    assert made.signatures["k"].outputs == {"a b": TensorSpec(Tensor("a_b", 1), FLOAT)}
    assert made.initializers == ("a_b",)
    assert made.notes == ("renamed, because TensorFlow refuses such names: 'a b' is 'a_b'",)


def test_a_note_spells_out_a_few() -> None:
    (note,) = legal_names(Model(Graph(chain(*(f"a {at}" for at in range(7)))))).notes
    assert note.endswith("'a 4' is 'a_4' and 2 more")


def test_functions_their_arguments_and_results_are_renamed_where_they_are_named() -> None:
    argument, result = OpDef.ArgDef(name="ä", type=FLOAT), OpDef.ArgDef(name="r r", type=FLOAT)
    definition = FunctionDef(signature=OpDef(name="my f", input_arg=[argument], output_arg=[result]))
    inner = NameAttrList(name="my f")
    inner.attr["more"].func.name = "my f"
    body = Function(definition, Graph((new_node("Neg", "n n", ["ä"], T=FLOAT),)), {"r r": Tensor("n n")})
    call = new_node("StatelessIf", "y", ["p", "x"], then_branch=inner, else_branch=NameAttrList(name="other"))
    made = legal_names(Model(Graph((call, new_node("my f", "z", ["x"]))), functions={"my f": body}))
    assert [*made.functions] == ["my_f"]
    function = made.functions["my_f"]
    assert show(function.graph.nodes[0]) == "n_n = Neg(n_)"
    signature = function.definition.signature
    assert (signature.name, signature.input_arg[0].name, signature.output_arg[0].name) == ("my_f", "n_", "r_r")
    assert function.returns == {"r_r": Tensor("n_n")}
    branch = made.graph.nodes[0].attr["then_branch"].func
    assert (branch.name, branch.attr["more"].func.name) == ("my_f", "my_f")
    assert made.graph.nodes[1].op == "my_f"
    assert definition.signature.name == "my f"


def test_a_model_of_legal_names_stays_as_it_is() -> None:
    definition = FunctionDef(signature=OpDef(name="__inference_f_1"))
    model = Model(Graph(chain("a", "b")), functions={"__inference_f_1": Function(definition, Graph(chain("c")), {})})
    assert legal_names(model) is model
