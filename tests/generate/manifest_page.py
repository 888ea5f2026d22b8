"""Write `docs/MANIFEST.md`, the reference of the manifest, from the fields' own descriptions.

python tests/generate/manifest_page.py > docs/MANIFEST.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from bundler.manifest import schema

TABLES = {
    "[bundle]": "BundleSpec",
    "[[model]]": "ModelSpec",
    "[[model.signature]]": "SignatureSpec",
    "[[signature]]": "ComposedSpec",
    "[[check]]": "CheckSpec",
    "[check.inputs.<name>]": "InputSpec",
    "[serving]": "ServingSpec",
}

HEAD = """# The manifest

A manifest is a TOML file. Paths in it are relative to its own folder. `bundler schema` prints its JSON Schema, which
editors use to complete and check: put `#:schema ./bundler.schema.json` into the first line. Unknown keys, wrong types,
duplicate names and missing keys are errors that name the file, the line and the key; a run reports all of them.
Required are the bundle's name, and a model with its name and source; `bundler init` writes a first manifest.

```toml
[bundle]
name = "shop"

[[model]]
name = "digits"
source = "models/digits"

[[model.signature]]                     # a model may have several; without one it has its own
key = "read"
rename = { image = "pixels" }

[[signature]]                           # steps around models, or several models in a row
key = "read_bytes"
inputs = { bytes = "float32[?, 64]" }
outputs = ["probabilities"]
steps = [
  { op = "div", by = 255 },
  { call = "read" },
]

[[check]]                               # what `bundler verify` calls a signature with
signature = "read"
inputs.pixels = { range = [0, 1], shape = [8, 64] }

[serving]                               # for TensorFlow Serving
warmup = true
```
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_section(title, schema()["$defs"][name]) for title, name in TABLES.items())


def _section(title: str, table: Mapping[str, Any]) -> str:
    rows = "".join(f"| {' | '.join(row)} |\n" for row in _rows(table))
    return f"\n## `{title}`\n\n{table['description']}\n\n| key | type | default | meaning |\n|---|---|---|---|\n{rows}"


def _rows(table: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    required = table.get("required", ())
    for key, field in table["properties"].items():
        default = f"`{_toml(field['default'])}`" if "default" in field and "anyOf" not in field else ""
        shown = "required" if key in required else default
        yield f"`{key}`", _type(field), shown, " ".join(field["description"].split())


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        field = schema()["$defs"][field["$ref"].rpartition("/")[2]]
    if "anyOf" in field:
        return ", or ".join(map(_type, field["anyOf"]))
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return "two numbers" if "prefixItems" in field else _KINDS_OF_LISTS[_kind(field["items"])]
    if field.get("type") == "object":
        return f"table of {_KINDS_OF_TABLES[_kind(field['additionalProperties'])]}"
    return _KINDS.get(field.get("type", ""), "string")


_KINDS = {"integer": "whole number", "number": "number", "boolean": "true or false"}
_KINDS_OF_LISTS = {
    "table": "tables",
    "string": "list of strings",
    "integer": "list of whole numbers",
    "any": "list of values",
}
_KINDS_OF_TABLES = {"table": "tables", "string": "strings", "array": "lists"}


def _kind(items: Mapping[str, Any]) -> str:
    """What a list or a table holds."""
    if "$ref" in items or "oneOf" in items:
        return "table"
    return "any" if isinstance(items.get("type"), list) else str(items.get("type", "string"))


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return "{}" if value == {} else f'"{value}"'


if __name__ == "__main__":
    sys.stdout.write(page())
