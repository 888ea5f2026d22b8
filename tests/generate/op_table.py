"""Write `bundler/ops/ops.json`: the ops that TensorFlow.js can run, and what the importer must know of them.

The names come from the op lists of the installed `tensorflowjs` package, the facts from the op
registry of the installed TensorFlow. `tests/ops/test_ops.py` checks that the committed table still
agrees with both.

    python tests/generate/op_table.py > bundler/ops/ops.json
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

# What TensorFlow.js adds to TensorFlow's ops, in the table's own terms
# (tfjs-converter/python/tensorflowjs/converters/fuse_prelu.py, fuse_depthwise_conv2d.py).
OWN_OPS: dict[str, dict[str, Any]] = {
    "Prelu": {"in": ["x:T", "alpha:T"], "out": ["y:T"], "attrs": {"T": "type"}},
    "FusedDepthwiseConv2dNative": {
        "in": ["x:T", "filter:T", "args:num_args*T"],
        "out": ["y:T"],
        "attrs": {
            "T": "type",
            "num_args": "int",
            "strides": "list(int)",
            "padding": "string",
            "explicit_paddings": "list(int)",
            "data_format": "string",
            "dilations": "list(int)",
            "fused_ops": "list(string)",
            "leakyrelu_alpha": "float",
            "epsilon": "float",
        },
    },
    "Conv1D": {
        "in": ["x:T", "filter:T"],
        "out": ["y:T"],
        "attrs": {"T": "type", "stride": "int", "padding": "string", "data_format": "string", "dilation": "int"},
    },
    "DepthwiseConv2d": {
        "in": ["input:T", "filter:T"],
        "out": ["output:T"],
        "attrs": {
            "T": "type",
            "strides": "list(int)",
            "padding": "string",
            "explicit_paddings": "list(int)",
            "data_format": "string",
            "dilations": "list(int)",
        },
    },
    "Ones": {"in": ["shape:index_type"], "out": ["y:T"], "attrs": {"T": "type", "index_type": "type"}},
    "Zeros": {"in": ["shape:index_type"], "out": ["y:T"], "attrs": {"T": "type", "index_type": "type"}},
}
# What the steps of composed signatures write and models may not bring.
OURS = ("DecodeJpeg", "ParseExampleV2")
DECISION_FORESTS = "needs TensorFlow Decision Forests, whose ops and model files a plain SavedModel does not have"
# Where TensorFlow.js assumes another value than TensorFlow when the attribute is left out.
OWN_DEFAULTS: dict[str, dict[str, Any]] = {
    "FusedBatchNorm": {"epsilon": 0.001},
    "FusedBatchNormV2": {"epsilon": 0.001},
    "FusedBatchNormV3": {"epsilon": 0.001},
    "SparseToDense": {"validate_indices": False},
}
# Attributes that TensorFlow.js knows by another name than TensorFlow.
ALIASES: dict[str, dict[str, str]] = {"Squeeze": {"axis": "squeeze_dims"}}
# Attributes that TensorFlow.js' op has and TensorFlow's lacks: a rewrite gives them a meaning.
OWN_ATTRS: dict[str, dict[str, str]] = {"Pad": {"constant_value": "float"}}
# TensorFlow lists the types of the further inputs in `TArgs`; the converter adds an input and leaves the list as it is.
OWN_INPUTS: dict[str, list[str]] = {"_FusedConv2D": ["input:T", "filter:T", "args:num_args*T"]}


def main() -> None:
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(table().items()))
    sys.stdout.write("{\n" + rows + "\n}\n")


def table() -> dict[str, dict[str, Any]]:
    """One row for each op that TensorFlow.js lists, and for those that bundler adds."""
    from tensorflow.python.framework import op_def_registry

    ours = {name: _registered(op_def_registry.get(name)) | {"ours": True} for name in OURS}
    return ours | {name: _row(name, op_def_registry.get(name)) for name in tensorflowjs_ops()}


def tensorflowjs_ops() -> list[str]:
    """The names in the op lists of the installed `tensorflowjs`, found without importing it."""
    spec = importlib.util.find_spec("tensorflowjs")
    assert spec is not None and spec.origin is not None, "tensorflowjs is not installed"
    lists = sorted((Path(spec.origin).parent / "op_list").glob("*.json"))
    return [entry["tfOpName"] for path in lists for entry in json.loads(path.read_text())]


def _row(name: str, definition: Any) -> dict[str, Any]:
    if name.startswith("SimpleML"):
        return {"refused": DECISION_FORESTS}
    row = OWN_OPS[name] if definition is None else _registered(definition)
    row["attrs"] = row["attrs"] | OWN_ATTRS.get(name, {})
    row["in"] = OWN_INPUTS.get(name, row["in"])
    extra = {"defaults": OWN_DEFAULTS.get(name), "aliases": ALIASES.get(name)}
    return row | {key: value for key, value in extra.items() if value}


def _registered(definition: Any) -> dict[str, Any]:
    attrs = [attr for attr in definition.attr if not attr.name.startswith("_")]
    row = {
        "in": [_argument(arg) for arg in definition.input_arg],
        "out": [_argument(arg) for arg in definition.output_arg],
        "attrs": {attr.name: attr.type for attr in attrs},
    }
    implied = {attr.name: _plain(attr.default_value) for attr in attrs if attr.HasField("default_value")}
    implied = {name: value for name, value in implied.items() if value is not None}
    return row | ({"implied": implied} if implied else {})


def _plain(value: Any) -> Any:
    """An attribute as JSON has it; None for what it has no word for: dtypes, shapes, tensors."""
    match value.WhichOneof("value"):
        case "s":
            return value.s.decode()
        case "list":
            return [*value.list.i, *value.list.f, *value.list.b] if not (value.list.s or value.list.type) else None
        case "i" | "f" | "b" as slot:
            return getattr(value, slot)
    return None


def _argument(arg: Any) -> str:
    """`name:type`, `name:N*type` for a list of one type, `name:*types` for a list of several."""
    from bundler.ir.dtypes import DType

    if arg.type_list_attr:
        return f"{arg.name}:*{arg.type_list_attr}"
    kind = arg.type_attr or str(DType(arg.type))
    return f"{arg.name}:{arg.number_attr}*{kind}" if arg.number_attr else f"{arg.name}:{kind}"


if __name__ == "__main__":
    main()
