"""bundler: several TensorFlow.js models become one TensorFlow SavedModel.

    manifest ──► sources ──► tfjs ──► convert ──► rewrites ──► link ──► outputs ──► checks ──► report
      TOML       Artifact    Model     Model       Model       Model   one folder   Checks   text / JSON
                 └───────────── per model, in parallel ─────┘ └────────── once, for the bundle ────────┘

It is a linker for models: each TensorFlow.js model is an object file, the manifest is the link script, the SavedModel
is the executable. One noun, `ir.model.Model`, flows from left to right, and a stage knows the types to its left only.
Each word of the picture is a folder. `verbs` puts the stages in order, one module for each thing that a user asks for;
`cli` is the only folder that knows of a terminal.

    import bundler

    report = bundler.build("manifests/posenet.toml", output="dist/posenet")
    report.signatures["serving_default"].inputs["input"].shape

Importing the package loads none of this: public names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundler.errors import (
        BundlerError,
        ConversionError,
        Fault,
        ManifestError,
        Place,
        SourceError,
        VerificationError,
    )
    from bundler.manifest import Manifest
    from bundler.report import Report
    from bundler.verbs.build import build
    from bundler.verbs.check import check
    from bundler.verbs.init import init
    from bundler.verbs.inspect import inspect
    from bundler.verbs.run import run

__all__ = [
    "BundlerError",
    "ConversionError",
    "Fault",
    "Manifest",
    "ManifestError",
    "Place",
    "Report",
    "SourceError",
    "VerificationError",
    "__version__",
    "build",
    "check",
    "init",
    "inspect",
    "run",
]

__version__ = "0.1.0"

_MODULES = {
    "bundler.errors": (
        "BundlerError",
        "ConversionError",
        "Fault",
        "ManifestError",
        "Place",
        "SourceError",
        "VerificationError",
    ),
    "bundler.manifest": ("Manifest",),
    "bundler.report": ("Report",),
    "bundler.verbs.build": ("build",),
    "bundler.verbs.check": ("check",),
    "bundler.verbs.init": ("init",),
    "bundler.verbs.inspect": ("inspect",),
    "bundler.verbs.run": ("run",),
}
"""The public names, by the module that defines them."""


def __getattr__(name: str) -> object:
    """A public name, loaded when it is first used."""
    for module, names in _MODULES.items():
        if name in names:
            globals()[name] = getattr(import_module(module), name)
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
