"""What the user writes: the manifest of a bundle.

A manifest is a TOML file with one `[bundle]` table, a `[[model]]` for each TensorFlow.js model and, to choose other
signatures than the model's own, `[[model.signature]]` tables. `[[check]]` tables have inputs to verify the
bundle with, `[serving]` what a server needs. `specs` describes the tables, `reading` reads a file.
"""

from bundler.manifest.reading import Manifest, of, parsed, read, read_each
from bundler.manifest.schema import schema
from bundler.manifest.specs import BundleSpec, CheckSpec, Compat, InputSpec, ModelSpec, ServingSpec, SignatureSpec

__all__ = [
    "BundleSpec",
    "CheckSpec",
    "Compat",
    "InputSpec",
    "Manifest",
    "ModelSpec",
    "ServingSpec",
    "SignatureSpec",
    "of",
    "parsed",
    "read",
    "read_each",
    "schema",
]
