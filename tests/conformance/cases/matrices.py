"""Cases of matrices.json."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, Value, new_node
from tests.conformance.case import AGREES, Cannot, Case, Const, Differs, Verdict, case
from tests.conformance.formulas import prelu

__all__ = ["CASES"]

A = np.sin(np.arange(6, dtype=np.float32)).reshape(2, 3)
B = np.cos(np.arange(12, dtype=np.float32)).reshape(3, 4)
BATCH = np.sin(np.arange(24, dtype=np.float32)).reshape(2, 2, 2, 3)
OTHERS = np.cos(np.arange(48, dtype=np.float32)).reshape(2, 2, 3, 4)
SQUARE = np.arange(1, 17, dtype=np.float32).reshape(4, 4)
FLOAT = DType.float32


def products() -> Iterator[Case]:
    for a, b in product((False, True), repeat=2):
        name = " ".join(["a transposed"] * a + ["b transposed"] * b) or "plain"
        x, w = A.T if a else A, B.T if b else B
        yield case("MatMul", name, x.copy(), Const(w.copy()), transpose_a=a, transpose_b=b, tolerance=1e-4)
        x, w = (np.swapaxes(m, -1, -2).copy() if t else m for m, t in ((BATCH, a), (OTHERS, b)))
        yield case("BatchMatMul", name, x, w, adj_x=a, adj_y=b, tolerance=1e-4)
        yield case("BatchMatMulV2", name, x, Const(w), adj_x=a, adj_y=b, tolerance=1e-4)


def fused(name: str, *further: Const, ops: list[str], steps: list[Node], **more: Value) -> Case:
    """_FusedMatMul; `steps` read `product` and make `y`."""
    javascript = more.pop("javascript", AGREES)
    attrs: dict[str, Value] = {"transpose_a": False, "transpose_b": False}
    attrs |= {key: more[key] for key in ("transpose_a", "transpose_b") if key in more}
    weight = Const(B.T.copy()) if attrs["transpose_b"] else Const(B)
    matmul = new_node("MatMul", "product", ["x", "x1"], T=FLOAT, **attrs)
    return case(
        "_FusedMatMul",
        name,
        A,
        weight,
        *further,
        meaning=[matmul, *steps],
        fused_ops=ops,
        tolerance=1e-4,
        javascript=javascript,  # type: ignore[arg-type]
        **{**attrs, **more},
    )


def bias(name: str = "y", op: str = "BiasAdd") -> Node:
    return new_node(op, name, ["product", "x2"], T=FLOAT)


def activated(op: str, **attrs: Value) -> list[Node]:
    return [bias("sum"), new_node(op, "y", ["sum"], T=FLOAT, **attrs)]


VECTOR = Const([0.1, -0.2, 0.3, 0.4])
UNREAD: dict[str, Verdict] = {"Tanh": Cannot("Tanh is no activation it fuses")}


def fused_products() -> Iterator[Case]:
    yield fused("bias", VECTOR, ops=["BiasAdd"], steps=[bias()])
    yield fused("bias b transposed", VECTOR, ops=["BiasAdd"], steps=[bias()], transpose_b=True)
    for op in ("Relu", "Relu6", "Elu", "Sigmoid", "Tanh"):
        javascript = UNREAD.get(op, AGREES)
        yield fused(f"bias {op}", VECTOR, ops=["BiasAdd", op], steps=activated(op), javascript=javascript)
    yield fused(
        "bias LeakyRelu",
        VECTOR,
        ops=["BiasAdd", "LeakyRelu"],
        steps=activated("LeakyRelu", alpha=0.3),
        leakyrelu_alpha=0.3,
    )
    yield fused("bias Prelu", VECTOR, VECTOR, ops=["BiasAdd", "Prelu"], steps=[bias("sum"), *prelu("sum", "x3")])
    yield fused("scalar bias", Const(0.5), ops=["BiasAdd"], steps=[bias(op="AddV2")])
    yield fused("matrix for a bias", Const(B[:2].copy()), ops=["BiasAdd"], steps=[bias(op="AddV2")])


BAND = Differs("num_lower stands in for num_upper")
EQUATIONS = {
    "ij,jk->ik": (A, B),
    "bhij,bhjk->bhik": (BATCH, OTHERS),
    "ij->ji": (A,),
    "ij,ij->ij": (A, A),
    "abcd,cd->ab": (BATCH, A),
    "ij,k->ijk": (A, A[0]),
    "ij,jk->i": (A, B),
    "ij->i": (A,),
}

CASES = [
    *products(),
    case("MatMul", "int32", [[1, 2], [3, 4]], [[5, 6], [7, 8]], transpose_a=False, transpose_b=False),
    case("BatchMatMulV2", "broadcast", BATCH, OTHERS[0], adj_x=False, adj_y=False, tolerance=1e-4),
    case("BatchMatMulV2", "rank 2", A, B, adj_x=False, adj_y=False, tolerance=1e-4),
    *fused_products(),
    case("Transpose", "matrix", A, Const([1, 0])),
    case("Transpose", "NHWC to NCHW", BATCH, Const([0, 3, 1, 2])),
    case("Transpose", "rank 3", BATCH[0], Const([2, 0, 1])),
    case("Transpose", "int32", [[1, 2], [3, 4]], Const([1, 0])),
    case("Transpose", "bool", [[True, False, True]], Const([1, 0])),
    *(
        case("Einsum", name.replace(",", " ").replace("->", " to "), *given, equation=name, tolerance=1e-4)
        for name, given in EQUATIONS.items()
    ),
    case("MatrixBandPart", "all", SQUARE, Const(-1), Const(-1)),
    case("MatrixBandPart", "diagonal", SQUARE, Const(0), Const(0)),
    case("MatrixBandPart", "lower", SQUARE, Const(-1), Const(0), javascript=BAND),
    case("MatrixBandPart", "upper", SQUARE, Const(0), Const(-1), javascript=BAND),
    case("MatrixBandPart", "one and one", SQUARE, Const(1), Const(1)),
    case("MatrixBandPart", "one and two", SQUARE, Const(1), Const(2), javascript=BAND),
]
