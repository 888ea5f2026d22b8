"""bundler: several TensorFlow.js models, one TensorFlow SavedModel.

    manifest ──► sources ──► tfjs ──► select ──► rewrites ──► link ──► savedmodel ──► verify ──► report
      TOML       Artifact    Model     Model      Model      Model     one folder     Checks    text / JSON
                 └──────────── per model, in parallel ────┘ └────────── once, for the bundle ─────────────┘

It is a linker for models: each TensorFlow.js model is an object file, the manifest is the link script, the
SavedModel is the executable. One noun, `model.Model`, flows from left to right; a stage knows the types
to its left, never those to its right. `pipeline` alone knows the order; `cli` and `console` alone know
that there is a terminal. Nothing runs at import.
"""

__version__ = "0.1.0"
