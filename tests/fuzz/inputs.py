"""All inputs: what each strategy gives, as a project."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from tests.fuzz.bundles import bundles
from tests.fuzz.corpus import corpus
from tests.fuzz.graphs import models
from tests.fuzz.layers import configurations
from tests.fuzz.manifests import manifests
from tests.fuzz.mutate import mutated
from tests.fuzz.oracle import Input

__all__ = ["KINDS"]

_SEEDS = st.lists(st.integers(0, 1 << 32), min_size=1, max_size=5)


def _mutants() -> st.SearchStrategy[dict[str, bytes]]:
    return st.builds(mutated, st.sampled_from(corpus()), _SEEDS)


KINDS: Mapping[str, st.SearchStrategy[Input]] = {
    "mutants": st.deferred(_mutants).map(Input.of_model),
    "graphs": models().map(Input.of_model),
    "mutated graphs": st.builds(mutated, models(), _SEEDS).map(Input.of_model),
    "manifests": st.deferred(lambda: st.builds(Input.of_model, st.sampled_from(corpus()[:40]), manifests())),
    "layers": configurations().map(Input.of_model),
    "bundles": bundles().map(Input),
}
"""What can be drawn. Mutants of the corpus are half: they come near to what is right, and cost the least."""
