"""What a person's browser shows is what the bundle answers: Chromium with TensorFlow.js' WASM backend."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import manifest, sources
from bundler.bundle import Bundle
from bundler.comparison.origins import Origins
from bundler.compose.plan import Interface, plan
from bundler.runtimes.tensorflow import Runtime
from tests.compose.browser import acts, shown
from tests.compose.test_examples import EXAMPLES, PHOTOGRAPH
from tests.support.places import TESTS

MODULES = TESTS / "node" / "node_modules"
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


# Behind two crops and three models, the last bits of a browser have grown: docs/VERIFY.md has whose error it is.
@pytest.mark.parametrize(("name", "grown"), [("posenet", {}), ("faces", {"right_iris": 5e-4})])
def test_a_browser_shows_what_the_bundle_answers(
    name: str, grown: Mapping[str, float], tmp_path: Path, tensorflowjs_modules: Path, runtime: Runtime
) -> None:
    photograph = (sources.find(PHOTOGRAPH, Path()).parents[1] / "assets" / "samples.jpg").read_bytes()
    report = bundler.build(EXAMPLES[name], output=tmp_path / name)
    bundle = Bundle.open(tmp_path / name)
    found = bundle.endpoint("serving_default").call(runtime, {"image": np.array(photograph, object)})
    origins = Origins(bundle, report, tmp_path)
    plain = {endpoint.key: origins.of(endpoint) for endpoint in bundle.endpoints if endpoint.key != "serving_default"}
    (spec,) = manifest.read(EXAMPLES[name]).composed
    interfaces = {endpoint.key: Interface.of(endpoint.signature) for endpoint in bundle.endpoints}
    called = {
        key: {"entry": f"/{key}/{origin.entry.name}", "inputs": origin.inputs, "outputs": origin.outputs}
        for key, origin in plain.items()
    }
    files = {f"/{key}/{path.name}": path for key, origin in plain.items() for path in origin.entry.parent.iterdir()}
    assert CHROMIUM is not None
    seen = shown(
        CHROMIUM,
        MODULES,
        {"/plan": acts(plan(spec, interfaces), called), "/image": photograph, **files},
        tmp_path / "user",
    )
    assert seen.backend == "wasm"
    assert seen.outputs.keys() == found.keys()
    errors = {
        output: float(np.abs(found[output] - value).max() / np.abs(value).max())
        for output, value in seen.outputs.items()
    }
    print(seen.browser, errors)  # noqa: T201 - the figures, for a reader
    assert {output: error for output, error in errors.items() if error > grown.get(output, 5e-5)} == {}
