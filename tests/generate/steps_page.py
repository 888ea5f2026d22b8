"""Write `docs/STEPS.md`, the reference of composed signatures, from the descriptions of the steps' fields.

python tests/generate/steps_page.py > docs/STEPS.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bundler.manifest import schema
from bundler.manifest.steps import OPS

PROSE = Path(__file__).parents[1] / "compose" / "prose.md"

FUNCTIONS = {
    "decode_image": "browser.fromPixels",
    "resize_bilinear": "image.resizeBilinear",
    "resize_nearest_neighbor": "image.resizeNearestNeighbor",
    "letterbox": "pad, image.resizeBilinear or image.transform",
    "center_crop": "slice",
    "pad_to_multiple": "pad",
    "shape": "a tensor's `shape`",
    "crop_and_resize": "image.cropAndResize",
    "transform": "image.transform",
    "grayscale": "sum(mul)",
    "non_max_suppression": "image.nonMaxSuppressionPadded, image.nonMaxSuppression",
    "decode_boxes": "slice, div, add, concat",
    "unletterbox": "sub, div",
    "log_softmax": "logSoftmax",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_mean": "mean",
    "reduce_sum": "sum",
    "clip": "clipByValue",
    "standardize": "moments, sub, div",
    "l2_normalize": "norm, div",
    "arg_max": "argMax",
    "top_k": "topk",
    "labels": "an array's `map`",
    "expand_dims": "expandDims",
    "take": "gather",
    "flip": "reverse",
    "parse_example": "none",
}
"""TensorFlow.js' functions, if they are not the step's own name."""

FAMILIES = {
    "Images": "image",
    "Boxes": "boxes",
    "Numbers": "numbers",
    "Shapes": "shapes",
}


def page() -> str:
    """The whole page."""
    head, tail = PROSE.read_text().split("<!-- steps -->\n")
    return head + "".join(_family(title, module) for title, module in FAMILIES.items()) + tail


def _family(title: str, module: str) -> str:
    names = list(dict.fromkeys(step.__name__ for step in OPS.values() if step.__module__.endswith(f".{module}")))
    return f"\n### {title}\n" + "".join(map(_step, names))


def _step(name: str) -> str:
    table = schema()["$defs"][name]
    ops = [op for op, step in OPS.items() if step.__name__ == name]
    said = ", ".join(f"`{op}`" for op in ops)
    functions = list(dict.fromkeys(FUNCTIONS.get(op, op) for op in ops))
    text = " ".join(table["description"].split("\n\n")[0].split())
    more = "".join(f"\n{' '.join(part.split())}\n" for part in table["description"].split("\n\n")[1:])
    rows = "".join(f"| {' | '.join(row)} |\n" for row in _rows(table))
    listed = f"\n| parameter | type | default | meaning |\n|---|---|---|---|\n{rows}" if rows else ""
    return f"\n#### {said}\n\n{text}\n{more}\nIn TensorFlow.js: {', '.join(map(_code, functions))}.\n{listed}"


def _code(function: str) -> str:
    return function if "`" in function or function == "none" else f"`{function}`"


def _rows(table: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    required = table.get("required", ())
    for key, field in table["properties"].items():
        if key not in ("op", "of", "as"):
            default = f"`{_toml(field['default'])}`" if field.get("default") not in (None, []) else ""
            yield f"`{key}`", _type(field), "required" if key in required else default, field["description"]


def _type(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        (one, _) = field["anyOf"]
        return f"{_KINDS[one['type']]}, or a list"
    if field.get("type") == "array":
        return "two numbers" if "prefixItems" in field else "list"
    return _KINDS[field.get("type", "string")]


_KINDS = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "string": "string",
    "object": "table",
}


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    sys.stdout.write(page())
