"""The JSON Schema of manifests, for editors."""

from __future__ import annotations

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

__all__ = ["schema"]


def schema() -> JsonSchemaValue:
    """The JSON Schema (draft 2020-12) of a manifest."""
    from bundler.manifest.composed import ComposedDocument  # late: see there

    made = ComposedDocument.model_json_schema(schema_generator=_TomlSchema)
    return {"$schema": _TomlSchema.schema_dialect, **made, "title": "Manifest"}


class _TomlSchema(GenerateJsonSchema):
    """TOML has no null: what may be left out is not "or null"."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {key: value for key, value in made.items() if (key, value) != ("default", None)}

    def field_title_should_be_set(self, schema: object) -> bool:
        return False
