"""A user's program with mistakes that a type checker must find."""

from __future__ import annotations

import bundler

report = bundler.build(1)
bundler.build("bundle.toml", ouput="dist")
shape = report.signatures["serving_default"].inputs["pixels"].shap
number: int = report.models[0].name
