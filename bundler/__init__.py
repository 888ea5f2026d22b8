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
        LockError,
        ManifestError,
        Place,
        SourceError,
        VerificationError,
    )
    from bundler.manifest import Manifest
    from bundler.report import Report
    from bundler.report.verification import Verification
    from bundler.verbs.build import build
    from bundler.verbs.check import check
    from bundler.verbs.diff import diff
    from bundler.verbs.export import export
    from bundler.verbs.init import init
    from bundler.verbs.inspect import inspect, neighbourhood
    from bundler.verbs.lock import lock
    from bundler.verbs.run import run
    from bundler.verbs.verify import verify

__all__ = [
    "BundlerError",
    "ConversionError",
    "Fault",
    "LockError",
    "Manifest",
    "ManifestError",
    "Place",
    "Report",
    "SourceError",
    "Verification",
    "VerificationError",
    "__version__",
    "build",
    "check",
    "diff",
    "export",
    "init",
    "inspect",
    "lock",
    "neighbourhood",
    "run",
    "verify",
]

__version__ = "0.1.0"

_MODULES = {
    "bundler.errors": (
        "BundlerError",
        "ConversionError",
        "Fault",
        "LockError",
        "ManifestError",
        "Place",
        "SourceError",
        "VerificationError",
    ),
    "bundler.manifest": ("Manifest",),
    "bundler.report": ("Report",),
    "bundler.report.verification": ("Verification",),
    "bundler.verbs.build": ("build",),
    "bundler.verbs.check": ("check",),
    "bundler.verbs.diff": ("diff",),
    "bundler.verbs.export": ("export",),
    "bundler.verbs.init": ("init",),
    "bundler.verbs.inspect": ("inspect", "neighbourhood"),
    "bundler.verbs.lock": ("lock",),
    "bundler.verbs.run": ("run",),
    "bundler.verbs.verify": ("verify",),
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
