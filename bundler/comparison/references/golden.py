"""Outputs that a check has recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from bundler.bundle import Endpoint
from bundler.comparison.references import Answer, Incomparable
from bundler.ir.nodes import Shape

__all__ = ["NONE_RECORDED", "Golden"]

NONE_RECORDED = "no outputs are recorded for it: `bundler verify --record` writes those of a check"


class Golden(NamedTuple):
    """The files of the manifest's checks; see `references.Reference`."""

    title: str = "the recorded outputs"

    def shapes(self, endpoint: Endpoint) -> Mapping[str, Shape]:
        return {}

    def answer(
        self, endpoint: Endpoint, feeds: Mapping[str, np.ndarray], golden: Mapping[str, np.ndarray] | None
    ) -> Answer:
        if not golden:
            raise Incomparable(NONE_RECORDED)
        absent = {name: "the file has no such output" for name in endpoint.signature.outputs if name not in golden}
        return Answer(golden, self.title, open=absent)
