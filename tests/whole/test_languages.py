"""The language detection of Visual Studio Code: strings, a hash table, a loop, and two libraries of functions.

TensorFlow.js 4.22 cannot run this model, 3.21 can.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import manifest, sources
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.support.asking import ask

pytestmark = [pytest.mark.slow, pytest.mark.network]

SOURCE = "npm:@vscode/vscode-languagedetection@1.0.22/model/model.json"
TENSORFLOW_JS = "@tensorflow/tfjs@3.21.0"
TEXTS = {
    "py": "import numpy as np\n\n\ndef mean(values):\n    return np.mean(values)\n" * 3,
    "rs": 'fn main() {\n    let mut x = vec![1, 2];\n    x.push(3);\n    println!("{:?}", x);\n}\n' * 3,
    "html": "<!DOCTYPE html>\n<html>\n<head><title>A page</title></head>\n<body><p>Hello</p></body>\n</html>\n",
}


@pytest.fixture(scope="module")
def javascript_3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TensorFlowJs]:
    """TensorFlow.js 3.21, running."""
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, TENSORFLOW_JS]
    subprocess.run(command, check=True, capture_output=True)
    with TensorFlowJs(folder / "node_modules") as running:
        yield running


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("languages")
    document = {"bundle": {"name": "languages"}, "model": [{"name": "languages", "source": SOURCE}]}
    bundler.build(manifest.of(document, folder / "languages.toml"), output=folder / "languages")
    return folder / "languages"


def test_it_gives_the_scores_of_tensorflowjs(bundle: Path, javascript_3: TensorFlowJs, runtime: Runtime) -> None:
    files = sources.fetch(SOURCE, Path())
    texts = np.array([text.encode() for text in TEXTS.values()], object)
    found = ask(runtime, bundle, "serving_default", inputs=texts)
    classes = [name.decode() for name in found["classes"][0]]
    assert [classes[scores.argmax()] for scores in found["scores"]] == list(TEXTS)
    for index, text in enumerate(texts):
        expected = javascript_3.run(files.path(files.entry), {"Placeholder": np.array([text], object)})
        scores = next(value for value in expected.values() if value.dtype == np.float32)
        np.testing.assert_allclose(found["scores"][index], scores[0], atol=1e-6)
