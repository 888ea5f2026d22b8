"""Bundles as strangers hand them in: one of the repository's in every form, with damage at any depth of messages."""

from __future__ import annotations

import random
import re
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

import bundler
from tests.fuzz.mutate import mutate_bytes, mutate_json
from tests.fuzz.oracle import BUNDLE, SOUND
from tests.fuzz.wire import mutated_message
from tests.support.places import MANIFESTS

__all__ = ["bundles"]

_GRAPH, _RECORD = "saved_model.pb", "assets.extra/bundle.json"
_FORMS = ("", 'weights = "variables"', 'object_graph = "never"')
_COMPOSED = """
[[signature]]
key = "strength"
inputs = { image = "string" }
outputs = ["strength"]
steps = [
  { op = "decode_image", channels = 1, as = "pixels" },
  { op = "resize_bilinear", size = [8, 8] },
  { call = "edge_strength" },
]
"""


def bundles() -> st.SearchStrategy[dict[str, bytes]]:
    """The files of a sound bundle, and of one that was damaged, by their paths in a project."""
    seeds = st.lists(st.integers(0, 1 << 32), min_size=1, max_size=5)
    return st.deferred(lambda: st.builds(_damaged, st.sampled_from(_corpus()), seeds))


@cache
def _corpus() -> tuple[dict[str, bytes], ...]:
    text = (MANIFESTS / "tiny.toml").read_text().replace('"models', f'"{MANIFESTS}/models')
    with tempfile.TemporaryDirectory() as folder:
        forms = [text.replace('name = "tiny"', f'name = "tiny"\n{form}', 1) for form in _FORMS]
        tagged = re.sub(r'name = "(\w+)"\nsource', r'name = "\1"\ntags = ["\1"]\nsource', text)
        tagged = tagged.replace('name = "tiny"', 'name = "tiny"\nlayout = "tags"', 1)
        manifests = enumerate([*forms, text + _COMPOSED, tagged])
        return tuple(_built(Path(folder, f"{number}"), manifest) for number, manifest in manifests)


def _built(folder: Path, text: str) -> dict[str, bytes]:
    folder.mkdir()
    (folder / "tiny.toml").write_text(text)
    made = folder / "tiny"
    bundler.build(folder / "tiny.toml", output=made, check=False)
    return {path.relative_to(made).as_posix(): path.read_bytes() for path in sorted(made.rglob("*")) if path.is_file()}


def _damaged(files: dict[str, bytes], seeds: list[int]) -> dict[str, bytes]:
    """A bundle after one mutation for each seed, and as it was."""
    made = dict(files)
    for seed in seeds:
        drawn = random.Random(seed)
        chance = drawn.random()
        if chance < 0.75:
            made[_GRAPH] = mutated_message(made[_GRAPH], drawn)
        elif chance < 0.85:
            mutate_json(made, drawn, _RECORD)
        else:
            mutate_bytes(made, drawn)
    both = {SOUND: files, BUNDLE: made}
    return {f"{folder}/{name}": content for folder, found in both.items() for name, content in found.items()}
