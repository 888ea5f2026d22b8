"""A bundle's signatures are called, and compared with a reference.

    cases ──► inputs ──► the bundle ──┐
    checks    feeds      each road    ├──► distance ──► doubts ──► verdict
                    └──► reference ───┘    each output

A comparison gives one of three verdicts: `ok`, `wrong`, or `unchecked` if it shows neither, for a reason that it gives.
What a signature is compared with is a `references.Reference`. `seams` compares the steps of a composed one, too.
"""

from __future__ import annotations

from bundler.comparison.cases import Case, cases
from bundler.comparison.compare import Comparison, Outcome, Road

__all__ = ["Case", "Comparison", "Outcome", "Road", "cases"]
