"""python -m tests.fuzz.coverage CORPUS [libFuzzer's options]: the reader under a fuzzer that follows coverage.

Bytes become a `model.json` without shards, or with one of zeros, which is read, selected, rewritten and encoded.
What is not a BundlerError ends the run, and leaves its input in the current folder (`crash-…`).
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bundler"]):
    from bundler import rewrites, tfjs
    from bundler.artifacts import artifact
    from bundler.convert.select import select
    from bundler.encoding import graphdef
    from bundler.errors import BundlerError
    from bundler.link import link
    from bundler.manifest import Compat, SignatureSpec

from tests.fuzz.corpus import corpus

_FOLDER = Path(tempfile.mkdtemp(prefix="bundler-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
_SHARD = "s"
_MODES = (Compat.NONE, Compat.TFJS, Compat.TFLITE)


def judge(content: bytes) -> None:
    """Convert a model as far as its encoding. Anything but a BundlerError goes through."""
    (_FOLDER / "model.json").write_bytes(content)
    try:
        model = tfjs.read(artifact.open(_FOLDER))
        selection = select(model, [SignatureSpec(key="k")])
        if not selection.faults:
            portable = rewrites.run(selection.model, _MODES[len(content) % 3])
            graphdef.graph_def(link({"m": portable}))
    except BundlerError:
        pass


def seeds(folder: Path) -> None:
    """The models of the corpus, all their weights in one shard that is as long as they need."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, files in enumerate(corpus()):
        document = json.loads(files["model.json"])
        if len(files["model.json"]) < 4096:
            shard = b"".join(content for name, content in files.items() if name != "model.json")
            for group in document.get("weightsManifest", []):
                group["paths"] = [f"{_SHARD}{len(shard)}"]
            (folder / f"{number}.json").write_bytes(json.dumps(document, separators=(",", ":")).encode())


def main() -> None:
    """Write the corpus, and fuzz from it."""
    for size in range(1024):
        (_FOLDER / f"{_SHARD}{size}").write_bytes(bytes(size))
    seeds(Path(sys.argv[1]))
    atheris.Setup(sys.argv, judge)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
